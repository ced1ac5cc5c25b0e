package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Containers without a mount namespace of their own: only their root changes. runc cannot start
/// one without a /proc mount, and leaves its mounts on the host.
@JrunOnly
class ChrootIT extends EndToEnd {
  @BeforeEach
  void withoutMounts() {
    config
        .namespaces("pid", "network", "ipc", "uts")
        .writableRoot()
        .set("/mounts", "[]")
        .remove("/linux", "maskedPaths")
        .remove("/linux", "readonlyPaths");
  }

  private static String mounts() throws IOException {
    return Files.readString(Path.of("/proc/self/mountinfo"));
  }

  @Test
  void theProgramSeesItsRootAndTheHostsMountsStay() throws IOException {
    String before = mounts();
    assertThat(runSh("cat /etc/hostname; pwd; echo $$").succeeds().lines())
        .containsExactly("busybox", "/", "1");
    assertThat(mounts()).isEqualTo(before);
  }

  @Test
  void execIsInTheSameRoot() throws IOException {
    config.args("sleep", "1000");
    createAndStart();
    assertThat(execSh("cat /etc/hostname; test -e /proc/self; echo $?; ls -d /proc/1 2>&1").out())
        .startsWith("busybox\n1\n");
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void whatWouldChangeTheHostsMountsIsRefused() throws IOException {
    config.mount("{destination:'/tmp',type:'tmpfs',source:'tmpfs'}");
    assertThat(run().exits(1).err()).contains("without a mount namespace");
    config.set("/mounts", "[]").set("/root/readonly", "true");
    assertThat(run().exits(1).err()).contains("without a mount namespace");
  }
}
