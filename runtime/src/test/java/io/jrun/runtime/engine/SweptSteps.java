package io.jrun.runtime.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;

/// Which steps of a sweep are tried: all of them, or with `-Djrun.sweep.every=n`, as on an emulated
/// machine, each n-th. They begin at another one in each run, which `-Djrun.sweep.from` repeats.
final class SweptSteps {
  private static final int EVERY = Integer.getInteger("jrun.sweep.every", 1);
  private static final int FROM =
      Integer.getInteger("jrun.sweep.from", ThreadLocalRandom.current().nextInt(EVERY));

  private SweptSteps() {}

  static <T> List<T> of(List<T> all) {
    if (EVERY > 1)
      System.out.printf(
          "of %d steps each of jrun.sweep.every=%d, from %d%n", all.size(), EVERY, FROM);
    List<T> chosen = new ArrayList<>();
    // where there are few, one of them is tried all the same
    for (int i = Math.min(FROM, all.size() - 1); i >= 0 && i < all.size(); i += EVERY)
      chosen.add(all.get(i));
    return chosen;
  }

  /// Of those numbered from 1.
  static List<Integer> upTo(int count) {
    return of(IntStream.rangeClosed(1, count).boxed().toList());
  }
}
