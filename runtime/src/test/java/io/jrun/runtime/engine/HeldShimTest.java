package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.observed.Observer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;

/// The shim with an engine that is the test itself, whose threads can be held at a call.
abstract class HeldShimTest extends ShimTest {
  private final Semaphore reached = new Semaphore(0);
  private final List<CountDownLatch> holds = new CopyOnWriteArrayList<>();

  @SuppressWarnings("NullAway.Init")
  TestEngine engine;

  @BeforeEach
  final void startEngine() throws Exception {
    Path socket = sandbox.top().resolve("engine.sock");
    engine = TestEngine.at(socket, sandbox.library());
    pod =
        new ShimPod(
            program(),
            sandbox.bundle(),
            sandbox.top(),
            sandbox.tag(),
            new byte[0],
            Map.of("JRUN_ENGINE", socket.toString()));
  }

  @Override
  void podIsGone() {
    letGo();
    try {
      if (engine != null) engine.close();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Every thread that comes to such a call waits there, and no more those that come to what was
  /// named before.
  ///
  /// @return lets these threads go
  final Runnable holdAt(Predicate<Syscall<?>> which) {
    CountDownLatch held = new CountDownLatch(1);
    holds.add(held);
    engine.observe(
        new Observer() {
          @Override
          public Optional<Errno> before(String where, Syscall<?> call) {
            if (which.test(call)) hold(held);
            return Optional.empty();
          }
        });
    return held::countDown;
  }

  private void hold(CountDownLatch held) {
    reached.release();
    try {
      held.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Until one more thread is held.
  final void awaitHeld() throws InterruptedException {
    assertThat(reached.tryAcquire(Sandbox.TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  final void letGo() {
    holds.forEach(CountDownLatch::countDown);
  }
}
