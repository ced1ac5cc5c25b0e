package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// The engine killed between its calls while a task is saved twice, the second time to its end, and
/// restored: the task goes on from where it was, and containerd is told the same.
@EnabledIf(
    value = "io.jrun.runtime.engine.ShimCheckpointIT#criuWorks",
    disabledReason = ShimCheckpointIT.NO_CRIU)
class ShimCheckpointCrashIT extends ShimCrashSweep {
  private static final int EVERY = Integer.getInteger("jrun.crash.every", 149);
  private static final int SIGTERM = 15;

  @Override
  void configure() throws IOException {
    ShimCheckpointIT.runs(
        sandbox, "trap 'echo told; exit 9' TERM; echo begin; while :; do sleep 0.02; done");
  }

  private Path out() {
    return sandbox.top().resolve("out.log");
  }

  @Override
  List<Path> logs() {
    return List.of(out());
  }

  private void awaitBegin() {
    assertThat(Sandbox.eventually(() -> Files.exists(out()) && Files.size(out()) > 0)).isTrue();
  }

  @Override
  List<String> live(ShimPod pod) throws Exception {
    List<String> told = new ArrayList<>();
    Path images = sandbox.top().resolve("images");
    String stdout = "file://" + out();
    pod.ok("Create", pod.createRequest("", stdout, "", false));
    pod.ok("Start", pod.request());
    awaitBegin();
    pod.ok("Checkpoint", ShimCheckpointIT.checkpoint(pod, images, false));
    told.add("runs on: " + pod.ok("State", pod.request()).int32(4));
    pod.ok("Checkpoint", ShimCheckpointIT.checkpoint(pod, images, true));
    told.add("saved: " + pod.ok("Wait", pod.request()).int32(1));
    pod.ok("Delete", pod.request());
    ProtoWriter request = pod.createRequest("", stdout, "", false).string(8, images.toString());
    told.add("pid: " + pod.ok("Create", request).int32(1));
    told.add("restored: " + (pod.ok("Start", pod.request()).int32(1) > 0));
    TtrpcResponse again = pod.call("Start", pod.request());
    told.add("twice: " + (again.code() != StatusCode.OK));
    pod.ok("Kill", pod.request().uint32(3, SIGTERM));
    told.add("ended: " + pod.ok("Wait", pod.request()).int32(1));
    told.add("deleted: " + pod.ok("Delete", pod.request()).int32(2));
    return told;
  }

  @Test
  void aTaskIsSavedAndRestoredOnceWhereverTheEngineDies() throws Exception {
    String id = sandbox.tag();
    List<String> whole = undisturbed();
    assertThat(whole)
        .contains(
            "runs on: 2",
            "saved: 137",
            "pid: 0",
            "restored: true",
            "twice: true",
            "ended: 9",
            "deleted: 9",
            "out.log: begin\ntold\n",
            "left: []")
        .containsSequence(
            "create " + id,
            "start " + id,
            "checkpointed " + id,
            "checkpointed " + id,
            "exit " + id + " 137",
            "delete " + id + " 137",
            "create " + id,
            "start " + id,
            "exit " + id + " 9",
            "delete " + id + " 9");
    sweep(EVERY, whole, 3);
  }
}
