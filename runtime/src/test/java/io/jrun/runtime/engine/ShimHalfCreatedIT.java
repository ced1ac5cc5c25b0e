package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.ttrpc.StatusCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A task whose creation an engine had begun, as where the engine and containerd die together: the
/// request does not come again, and what was begun must not stay, nor keep the pod's keeper.
class ShimHalfCreatedIT extends ShimTest {
  private String rootfs = "";

  @BeforeEach
  void begin() throws Exception {
    shim();
    rootfs = sandbox.bundle().resolve("rootfs").toString();
    String line =
        """
        {"what":"CREATE","id":"%s","exec":"","at":"2026-11-29T21:26:53Z","bundle":"%s","root":"/run/containerd/jrun/%s",\
        "rootfs":[{"type":"tmpfs","source":"half","target":"","options":[]}],"stdin":"","stdout":"","stderr":"",\
        "terminal":false,"ioUid":0,"ioGid":0,"place":512}
        """
            .formatted(pod.id(), sandbox.bundle(), ShimPod.NAMESPACE);
    Path journal =
        Path.of("/run/jrun-shim").resolve(Path.of(pod.address()).getFileName()).resolve("journal");
    Files.writeString(journal, line, StandardOpenOption.APPEND);
    assertThat(new ProcessBuilder("mount", "-t", "tmpfs", "half", rootfs).start().waitFor())
        .isZero();
    sandbox.killEngine();
  }

  private boolean isMounted() throws IOException {
    return Files.readString(Path.of("/proc/self/mountinfo")).contains(" " + rootfs + " ");
  }

  @Test
  void itIsUndoneWhereNobodyAsksForItAgain() throws Exception {
    assertThat(pod.ok("Connect", pod.request()).int32(2)).isZero();
    assertThat(Sandbox.eventually(() -> !isMounted())).isTrue();
    assertThat(pod.call("State", pod.request()).code()).isEqualTo(StatusCode.NOT_FOUND);
    pod.ok("Create", pod.createRequest("", "", "", false));
    pod.finish();
  }

  @Test
  void itIsUndoneWhereThePodIsShutDown() throws Exception {
    pod.shutDown();
    assertThat(isMounted()).isFalse();
    assertThat(sink.events()).isEmpty();
  }
}
