package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.observed.Observer;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// containerd closes a task's connection when its Delete is answered: who asked for something
/// before that is answered before. The engine is the test itself, so that a Kill can take long.
class ShimOrderIT extends ShimTest {
  private static final int SIGKILL = 9;
  private static final long MOMENT_MILLIS = 300;

  private final Semaphore signalling = new Semaphore(0);
  private final CountDownLatch held = new CountDownLatch(1);
  private final List<String> answered = Collections.synchronizedList(new ArrayList<>());

  @SuppressWarnings("NullAway.Init")
  private TestEngine engine;

  @BeforeEach
  void run() throws Exception {
    engine = TestEngine.at(socket(), sandbox.library());
    pod =
        new ShimPod(
            program(),
            sandbox.bundle(),
            sandbox.top(),
            sandbox.tag(),
            new byte[0],
            Map.of("JRUN_ENGINE", socket().toString()));
  }

  private Path socket() {
    return sandbox.top().resolve("engine.sock");
  }

  @Override
  void podIsGone() {
    held.countDown();
    try {
      if (engine != null) engine.close();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private Observer holdingSignals() {
    return new Observer() {
      @Override
      public Optional<Errno> before(String where, Syscall<?> call) {
        if (!(call instanceof SignalCall.PidfdSendSignal)) return Optional.empty();
        signalling.release();
        try {
          held.await();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
        return Optional.empty();
      }
    };
  }

  private CompletableFuture<TtrpcResponse> ask(String method, ProtoWriter of) {
    return pod.send(method, of)
        .thenApply(response -> {
          answered.add(method + " " + response.code());
          return response;
        });
  }

  private void awaitSignal() throws InterruptedException {
    assertThat(signalling.tryAcquire(Sandbox.TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void deleteIsAnsweredBehindWhatWasAskedBeforeIt(boolean withAnotherEngine) throws Exception {
    int pid = pod.ok("Create", pod.createRequest("", "", "", false)).int32(1);
    pod.ok("Start", pod.request());
    CompletableFuture<TtrpcResponse> wait = ask("Wait", pod.request());
    engine.observe(holdingSignals());
    ask("Kill", pod.request().uint32(3, SIGKILL));
    awaitSignal();
    if (withAnotherEngine) {
      engine.leave();
      awaitSignal();
    }
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    TtrpcClient.await(wait);
    CompletableFuture<TtrpcResponse> delete = ask("Delete", pod.request());
    Thread.sleep(MOMENT_MILLIS);
    assertThat(answered).as("while the Kill goes on").containsExactly("Wait OK");
    held.countDown();
    TtrpcClient.await(delete);
    assertThat(answered)
        .containsExactly("Wait OK", withAnotherEngine ? "Kill OK" : "Kill NOT_FOUND", "Delete OK");
    pod.shutDown();
  }
}
