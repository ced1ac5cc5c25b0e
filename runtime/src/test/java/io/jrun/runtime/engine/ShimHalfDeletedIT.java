package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcResponse;
import org.junit.jupiter.api.Test;

/// A task whose container is gone already, as where the engine and containerd die during its
/// Delete: a new containerd asks from the beginning, and may delete it only if what it asks before
/// that is answered as of an ended task.
class ShimHalfDeletedIT extends ShimTest {
  private static final int SIGKILL = 9;

  private void assertNotFound(String method, ProtoWriter request, String message) {
    TtrpcResponse response = pod.call(method, request);
    assertThat(response.code()).as("%s", response).isEqualTo(StatusCode.NOT_FOUND);
    assertThat(response.message()).isEqualTo(message + ": not found");
  }

  @Test
  void itIsAskedAboutAndDeletedAllTheSame() throws Exception {
    shim();
    int pid = pod.ok("Create", pod.createRequest("", "", "", false)).int32(1);
    pod.ok("Start", pod.request());
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    ProcessBuilder delete =
        new ProcessBuilder(
            sandbox.install().resolve("bin/jrun").toString(),
            "--root",
            "/run/containerd/jrun/" + ShimPod.NAMESPACE,
            "delete",
            pod.id());
    assertThat(delete.inheritIO().start().waitFor()).isZero();
    sandbox.killEngine();
    pod.ok("Connect", pod.request());
    assertThat(pod.ok("Pids", pod.request()).messages(1))
        .as("else containerd 2 takes it for leaked, and its status is lost")
        .hasSize(1)
        .allMatch(process -> process.int32(1) == pid);
    assertThat(pod.ok("State", pod.request()).int32(9)).isEqualTo(128 + SIGKILL);
    assertNotFound(
        "Kill", pod.request().uint32(3, SIGKILL).bool(4, true), "process already finished");
    assertNotFound("Kill", pod.request().uint32(3, SIGKILL), "process already finished");
    assertNotFound("Stats", pod.request(), "cgroup does not exist");
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(128 + SIGKILL);
    assertThat(pod.ok("Delete", pod.request()).int32(2)).isEqualTo(128 + SIGKILL);
    pod.shutDown();
    assertThat(sink.events()).last().isEqualTo("delete " + pod.id() + " 137");
  }
}
