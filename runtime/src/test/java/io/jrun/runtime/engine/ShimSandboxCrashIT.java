package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/// The engine killed between its calls while it serves a pod that the shim makes itself, and a
/// container of it. `-Djrun.crash.every=1` dies at each call instead of some.
class ShimSandboxCrashIT extends ShimCrashSweep {
  private static final int EVERY = Integer.getInteger("jrun.crash.every", 37);

  @Override
  void configure() throws IOException {
    sandbox.config(text ->
        text.replace(
            "[\"sleep\",\"1000\"]", "[\"sh\",\"-c\",\"cat /etc/hostname; exec sleep 1000\"]"));
  }

  private Path out() {
    return sandbox.top().resolve("out.log");
  }

  @Override
  List<Path> logs() {
    return List.of(out());
  }

  @Override
  List<String> live(ShimPod pod) throws Exception {
    SandboxRequests sandboxes = new SandboxRequests(pod);
    List<String> told = new ArrayList<>();
    sandboxes.ok(
        "CreateSandbox",
        sandboxes.createRequest(
            sandbox.bundle().toString(),
            SandboxRequests.config("the-pod", SandboxRequests.onHost()),
            ""));
    ProtoMessage started = sandboxes.ok("StartSandbox");
    CompletableFuture<TtrpcResponse> wait = sandboxes.send("WaitSandbox", pod.request());
    String id = pod.id() + "-c";
    pod.ok(
        "Create",
        ShimPod.request(id).string(2, sandbox.bundle().toString()).string(6, "file://" + out()));
    pod.ok("Start", ShimPod.request(id));
    ProtoMessage status = sandboxes.ok("SandboxStatus");
    told.add("pids equal: " + (status.int32(2) == started.int32(1) && started.int32(1) > 0));
    told.add("ready: " + status.string(3));
    Sandbox.eventually(() -> Files.size(out()) > 0);
    sandboxes.ok("StopSandbox");
    ProtoMessage exit = ShimPod.ok("WaitSandbox", TtrpcClient.await(wait));
    told.add("sandbox: " + exit.int32(1));
    told.add("container: " + pod.ok("Wait", ShimPod.request(id)).int32(1));
    pod.ok("Delete", ShimPod.request(id));
    told.add("same time: " + sandboxes.ok("SandboxStatus").timestamp(6).equals(exit.timestamp(2)));
    sandboxes.ok("ShutdownSandbox");
    return told;
  }

  @Test
  void nothingIsLostOrDoubledWhereverTheEngineDies() throws Exception {
    String id = sandbox.tag() + "-c";
    List<String> whole = undisturbed();
    assertThat(whole)
        .contains(
            "pids equal: true",
            "ready: SANDBOX_READY",
            "sandbox: 137",
            "container: 137",
            "same time: true",
            "out.log: the-pod\n",
            "left: []")
        .containsSequence(
            "create " + id, "start " + id, "exit " + id + " 137", "delete " + id + " 137");
    sweep(EVERY, whole, 5);
  }
}
