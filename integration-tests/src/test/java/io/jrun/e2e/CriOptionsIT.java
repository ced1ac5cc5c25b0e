package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// runc's options of a handler in containerd's configuration, in whatever way they reach the shim.
class CriOptionsIT extends CriTest {
  @Test
  void thePodsCgroupIsAScopeOrTheLackOfSystemdIsNamed() throws IOException {
    Config config = podConfig();
    config.setText("/linux/cgroup_parent", "/" + containerd.tag().replace('-', '_') + ".slice");
    if (Files.isDirectory(Path.of("/run/systemd/system"))) {
      Pod pod = run(config, Containerd.SYSTEMD);
      assertThat(Files.readString(Path.of("/proc/" + pod.pid() + "/cgroup")))
          .contains("cri-containerd-" + pod.id + ".scope");
    } else {
      assertThatThrownBy(() -> run(config, Containerd.SYSTEMD))
          .hasMessageContaining(
              Containerd.isJrun() ? "systemd does not run here" : "systemd not running");
    }
  }

  @Test
  void theStreamsBelongToWhomTheOptionsName() {
    Pod pod = run(podConfig(), Containerd.OWNED);
    // runc's init then gives them to the program's user also where that is root, who needs it not
    String expected = (Containerd.isJrun() ? "1234" : "0") + ":2345";
    String owners = "for i in 1 2; do stat -L -c %u:%g /proc/self/fd/$i; done";
    Container container = pod.start("c", "sh", "-c", owners + "; sleep 1000");
    assertThat(EndToEnd.eventually(() -> container.logLines().size() == 2)).isTrue();
    assertThat(container.logLines()).containsOnly("stdout F " + expected);
    assertThat(container.sh(owners)).isEqualTo(expected + "\n" + expected);
    container.stop(0);
  }
}
