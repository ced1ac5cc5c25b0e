package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ActivityTest {
  private final Activity activity = new Activity();

  @Test
  void isToldOnce() {
    assertThat(activity.hasHappened()).isFalse();
    activity.happen();
    activity.happen();
    assertThat(activity.hasHappened()).isTrue();
    assertThat(activity.hasHappened()).isFalse();
  }

  @Test
  void endsAWaitThatExpectsIt() throws InterruptedException {
    activity.expect();
    assertThat(activity.await(1)).isFalse();
    activity.happen();
    assertThat(activity.await(Long.MAX_VALUE)).isTrue();
  }

  @Test
  void wakesWhoWaits() throws InterruptedException {
    activity.expect();
    Thread other = Thread.ofPlatform().start(activity::happen);
    assertThat(activity.await(Long.MAX_VALUE)).isTrue();
    other.join();
  }

  @Test
  void whatHappenedBeforeItWasExpectedEndsNoWait() throws InterruptedException {
    activity.happen();
    activity.expect();
    activity.happen();
    activity.expect();
    assertThat(activity.await(1)).isFalse();
  }
}
