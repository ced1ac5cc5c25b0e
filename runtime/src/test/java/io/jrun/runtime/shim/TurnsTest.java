package io.jrun.runtime.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class TurnsTest {
  private final Turns turns = new Turns();

  @Test
  void oneAfterTheOtherAndNothingIsKept() throws InterruptedException {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++)
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int n = 0; n < 200; n++)
                  turns.take(
                      "one",
                      () -> {
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        LockSupport.parkNanos(1);
                        return inside.decrementAndGet();
                      });
              }));
    for (Thread thread : threads) thread.join();
    assertThat(most).hasValue(1);
    assertThat(turns.size()).isZero();
  }

  @Test
  void aTurnIsNotTakenWhileAnotherHasIt() throws InterruptedException {
    List<Boolean> taken = Collections.synchronizedList(new ArrayList<>());
    turns.take(
        "a",
        () -> {
          Thread other =
              Thread.ofPlatform()
                  .start(() -> {
                    taken.add(turns.takeIfFree("a", () -> taken.add(null)));
                    taken.add(turns.takeIfFree("b", () -> {}));
                  });
          try {
            other.join();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    assertThat(taken).containsExactly(false, true);
    assertThat(turns.takeIfFree("a", () -> turns.take("a", () -> taken.add(true)))).isTrue();
    assertThat(taken).containsExactly(false, true, true);
    assertThat(turns.size()).isZero();
  }

  @Test
  void anotherKeyIsNotWaitedForAndAFailureKeepsNothing() {
    assertThat(turns.<Integer>take("a", () -> turns.take("b", turns::size))).isEqualTo(2);
    assertThatThrownBy(() ->
            turns.take(
                "a",
                () -> {
                  throw new IllegalStateException("no");
                }))
        .hasMessage("no");
    assertThat(turns.size()).isZero();
  }
}
