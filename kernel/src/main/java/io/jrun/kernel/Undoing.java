package io.jrun.kernel;

import java.util.List;

/// Steps that undo what was begun: each is taken whatever becomes of the others, and what they fail
/// with goes along with the cause, in its place never.
public final class Undoing {
  private Undoing() {}

  public static void suppressing(RuntimeException cause, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  /// What steps that were all taken have failed with, as one; nothing where none has.
  public static void throwFirst(List<RuntimeException> failures) {
    if (failures.isEmpty()) return;
    RuntimeException first = failures.getFirst();
    failures.stream().skip(1).forEach(first::addSuppressed);
    throw first;
  }
}
