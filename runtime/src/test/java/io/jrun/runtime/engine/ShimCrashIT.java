package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/// The engine killed between its calls while it serves a task from its creation to its end: no
/// answer differs, nothing is done twice, no event is lost, doubled or out of order, and nothing is
/// left. `-Djrun.crash.every=1` dies at each call instead of some.
class ShimCrashIT extends ShimCrashSweep {
  private static final int EVERY = Integer.getInteger("jrun.crash.every", 31);
  private static final int SIGKILL = 9;

  @Override
  void configure() throws IOException {
    sandbox.config(text ->
        text.replace("[\"sleep\",\"1000\"]", "[\"sh\",\"-c\",\"echo begin; exec sleep 1000\"]"));
  }

  private Path out() {
    return sandbox.top().resolve("out.log");
  }

  private Path execOut() {
    return sandbox.top().resolve("exec.log");
  }

  @Override
  List<Path> logs() {
    return List.of(out(), execOut());
  }

  @Override
  List<String> live(ShimPod pod) {
    List<String> told = new ArrayList<>();
    int pid = pod.ok("Create", pod.createRequest("", "file://" + out(), "", false)).int32(1);
    CompletableFuture<TtrpcResponse> wait = pod.send("Wait", pod.request());
    told.add("pids equal: " + (pod.ok("Start", pod.request()).int32(1) == pid && pid > 0));
    pod.ok("Exec", pod.execRequest("e", "file://" + execOut(), "sh", "-c", "echo ran; exit 7"));
    told.add("exec pid: " + (pod.ok("Start", pod.request().string(2, "e")).int32(1) > 0));
    told.add("exec: " + pod.ok("Wait", pod.request().string(2, "e")).int32(1));
    told.add("exec deleted: " + pod.ok("Delete", pod.request().string(2, "e")).int32(2));
    pod.ok("Pause", pod.request());
    pod.ok("Resume", pod.request());
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    ProtoMessage exit = ShimPod.ok("Wait", TtrpcClient.await(wait));
    told.add("task: " + exit.int32(1));
    ProtoMessage deleted = pod.ok("Delete", pod.request());
    told.add("deleted: " + deleted.int32(2) + " " + (deleted.int32(1) == pid));
    told.add("same time: " + deleted.timestamp(3).equals(exit.timestamp(2)));
    return told;
  }

  @Test
  void nothingIsLostOrDoubledWhereverTheEngineDies() throws Exception {
    String id = sandbox.tag();
    List<String> whole = undisturbed();
    assertThat(whole)
        .contains(
            "pids equal: true",
            "exec: 7",
            "task: 137",
            "same time: true",
            "out.log: begin\n",
            "exec.log: ran\n",
            "left: []")
        .containsSequence(
            "create " + id,
            "start " + id,
            "exec-added e",
            "exec-started e",
            "exit e 7",
            "paused " + id,
            "resumed " + id,
            "exit " + id + " 137",
            "delete " + id + " 137");
    sweep(EVERY, whole, 5);
  }
}
