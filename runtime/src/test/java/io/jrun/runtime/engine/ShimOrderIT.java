package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// containerd closes a task's connection when its Delete is answered: who has asked for something
/// by then is answered before.
class ShimOrderIT extends HeldShimTest {
  private static final int SIGKILL = 9;
  private static final long MOMENT_MILLIS = 300;

  private final List<String> answered = Collections.synchronizedList(new ArrayList<>());

  private CompletableFuture<TtrpcResponse> ask(String method, ProtoWriter request) {
    return pod.send(method, request)
        .thenApply(response -> {
          answered.add(method + " " + response.code());
          return response;
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void deleteIsAnsweredBehindWhatWasAskedBeforeIt(boolean withAnotherEngine) throws Exception {
    int pid = pod.ok("Create", pod.createRequest("", "", "", false)).int32(1);
    pod.ok("Start", pod.request());
    CompletableFuture<TtrpcResponse> wait = ask("Wait", pod.request());
    holdAt(call -> call instanceof SignalCall.PidfdSendSignal);
    CompletableFuture<TtrpcResponse> kill = ask("Kill", pod.request().uint32(3, SIGKILL));
    awaitHeld();
    if (withAnotherEngine) {
      engine.leave();
      awaitHeld(); // it was sent again
    }
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    TtrpcClient.await(wait);
    CompletableFuture<TtrpcResponse> delete = ask("Delete", pod.request());
    Thread.sleep(MOMENT_MILLIS);
    assertThat(answered).as("while the Kill goes on").containsExactly("Wait OK");
    letGo();
    TtrpcClient.await(kill);
    TtrpcClient.await(delete);
    assertThat(answered)
        .containsExactly("Wait OK", withAnotherEngine ? "Kill OK" : "Kill NOT_FOUND", "Delete OK");
    pod.shutDown();
  }

  /// As when containerd deletes a task that has ended by itself, while somebody stops it.
  @Test
  void deleteIsAnsweredBehindWhatWasAskedMeanwhile() throws Exception {
    int pid = pod.ok("Create", pod.createRequest("", "", "", false)).int32(1);
    pod.ok("Start", pod.request());
    CompletableFuture<TtrpcResponse> wait = ask("Wait", pod.request());
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    TtrpcClient.await(wait);
    Runnable letDeleteGo = holdAt(call -> call instanceof FileCall.Unlinkat);
    CompletableFuture<TtrpcResponse> delete = ask("Delete", pod.request());
    awaitHeld();
    holdAt(call ->
        call instanceof FileCall.Openat open && open.path().matches(".*/cgroup[.](procs|kill)"));
    CompletableFuture<TtrpcResponse> kill =
        ask("Kill", pod.request().uint32(3, SIGKILL).bool(4, true));
    awaitHeld();
    letDeleteGo.run();
    Thread.sleep(MOMENT_MILLIS);
    assertThat(answered).as("while the Kill goes on").containsExactly("Wait OK");
    letGo();
    TtrpcClient.await(kill);
    TtrpcClient.await(delete);
    assertThat(answered).containsExactly("Wait OK", "Kill OK", "Delete OK");
    pod.shutDown();
  }
}
