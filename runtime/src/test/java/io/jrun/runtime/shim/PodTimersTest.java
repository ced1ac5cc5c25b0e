package io.jrun.runtime.shim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class PodTimersTest {
  private static final long NEVER = 1_000_000;

  private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
  private final PodTimers timers = new PodTimers(timer);
  private final AtomicInteger done = new AtomicInteger();

  PodTimersTest() {
    timer.setRemoveOnCancelPolicy(true);
  }

  @AfterEach
  void stop() {
    timer.shutdownNow();
  }

  @Test
  void whatIsDueIsDone() throws InterruptedException {
    CountDownLatch latch = new CountDownLatch(1);
    timers.schedule(PodTimers.Action.QUIT, latch::countDown, 1);
    assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void theSameAgainTakesThePlaceOfTheFirst() {
    timers.schedule(PodTimers.Action.QUIT, done::incrementAndGet, NEVER);
    timers.schedule(PodTimers.Action.QUIT, done::incrementAndGet, NEVER);
    timers.schedule(PodTimers.Action.QUIT_IF_UNUSED, done::incrementAndGet, NEVER);
    assertThat(timer.getQueue()).hasSize(2);
  }

  @Test
  void whatIsCancelledIsKeptNoLonger() {
    timers.schedule(PodTimers.Action.QUIT, done::incrementAndGet, NEVER);
    timers.cancel(PodTimers.Action.QUIT);
    timers.cancel(PodTimers.Action.QUIT);
    assertThat(timer.getQueue()).isEmpty();
  }

  @Test
  void anEndedPodHasNothingToDo() throws InterruptedException {
    timers.schedule(PodTimers.Action.END_SHUTDOWN, done::incrementAndGet, NEVER);
    timers.close();
    timers.schedule(PodTimers.Action.QUIT, done::incrementAndGet, 1);
    assertThat(timer.getQueue()).isEmpty();
    timer.shutdown();
    assertThat(timer.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    assertThat(done).hasValue(0);
  }
}
