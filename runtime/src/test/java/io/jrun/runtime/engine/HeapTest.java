package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class HeapTest {
  private static final long MEGABYTE = 1 << 20;

  private long used = 8 * MEGABYTE;
  private int collections;

  private final Heap heap =
      new Heap(
          () -> used,
          () -> {
            used = 3 * MEGABYTE;
            collections++;
          });

  @Test
  void isNotCollectedWhileSomethingIsAllocated() {
    for (int i = 0; i < 5; i++) {
      heap.look();
      used += MEGABYTE;
    }
    assertThat(collections).isZero();
  }

  @Test
  void isCollectedOnceWhenTheEngineRests() {
    for (int i = 0; i < 5; i++) heap.look();
    assertThat(collections).isEqualTo(1);
    used += 100;
    heap.look();
    heap.look();
    assertThat(collections).isEqualTo(1);
  }

  @Test
  void isCollectedAgainAfterAnotherBurst() {
    for (int i = 0; i < 2; i++) heap.look();
    used += 2 * MEGABYTE;
    for (int i = 0; i < 3; i++) heap.look();
    assertThat(collections).isEqualTo(2);
  }
}
