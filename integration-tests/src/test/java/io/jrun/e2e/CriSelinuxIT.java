package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// Labels of SELinux for pods: those that they ask for, and those that containerd gives them.
@EnabledIf(
    value = "io.jrun.e2e.SelinuxIT#isPossible",
    disabledReason = "needs a kernel with SELinux (make vm-test LSM=selinux)")
class CriSelinuxIT extends CriTest {
  private static final String OPTIONS = "/linux/security_context/selinux_options";

  @Override
  boolean labels() {
    return true;
  }

  private static String options(String type, String level) {
    return "{user:'system_u',role:'system_r',type:'%s',level:'%s'}".formatted(type, level);
  }

  private static String process(String level) {
    return "system_u:system_r:svirt_t:" + level;
  }

  private static String files(String level) {
    return "system_u:object_r:svirt_image_t:" + level;
  }

  private Pod labelled(String level) {
    return run(podConfig().set(OPTIONS, options("svirt_t", level)));
  }

  @Test
  void whatRunsInAPodHasItsLabel() throws IOException {
    Pod pod = labelled("s0:c3,c4");
    Container container =
        pod.start(
            pod.containerConfig("labelled", "sleep", "1000")
                .set(OPTIONS, options("svirt_t", "s0:c3,c4")));
    assertThat(SelinuxIT.label(pod.pid())).isEqualTo(process("s0:c3,c4"));
    assertThat(SelinuxIT.label(container.pid())).isEqualTo(process("s0:c3,c4"));
    assertThat(container.sh("tr -d '\\0' < /proc/self/attr/current"))
        .isEqualTo(process("s0:c3,c4"));
    Container other =
        pod.start(
            pod.containerConfig("other", "sleep", "1000")
                .set(OPTIONS, options("svirt_t", "s0:c5,c6")));
    assertThat(SelinuxIT.label(other.pid())).isEqualTo(process("s0:c5,c6"));
  }

  @Test
  void podsThatAskForNothingAreKeptApart() throws IOException {
    Pod one = run(podConfig());
    Pod two = run(podConfig());
    String label = SelinuxIT.label(one.pid());
    assertThat(label).matches("system_u:system_r:svirt_t:s0:c\\d+,c\\d+");
    assertThat(SelinuxIT.label(two.pid())).startsWith(process("s0:c")).isNotEqualTo(label);
  }

  @Test
  void filesHaveTheLabelThatGoesWithIt() throws IOException {
    Path volume = Files.createDirectory(containerd.temp().resolve("volume"));
    Path kept = Files.createDirectory(containerd.temp().resolve("kept"));
    for (Path directory : new Path[] {volume, kept})
      Files.writeString(directory.resolve("file"), "x");
    Pod pod = labelled("s0:c3,c4");
    Container container =
        pod.start(
            pod.containerConfig("labelled", "sleep", "1000")
                .set(OPTIONS, options("svirt_t", "s0:c3,c4"))
                .set(
                    "/mounts/-",
                    "{container_path:'/volume',host_path:'%s',selinux_relabel:true}"
                        .formatted(volume))
                .set("/mounts/-", "{container_path:'/kept',host_path:'%s'}".formatted(kept)));
    container.sh("echo x > /made; echo x > /dev/shm/made");
    long pid = container.pid();
    // the root with its label as an option of overlayfs, what jrun mounts, and what containerd gave
    // a label before it was bound
    for (String path :
        new String[] {
          "/",
          "/bin/busybox",
          "/made",
          "/dev",
          "/dev/null",
          "/dev/shm/made",
          "/etc/hosts",
          "/volume/file"
        }) assertThat(SelinuxIT.label(pid, path)).as(path).isEqualTo(files("s0:c3,c4"));
    for (String path : new String[] {"/proc", "/sys", "/kept/file"})
      assertThat(SelinuxIT.label(pid, path)).as(path).isNotEqualTo(files("s0:c3,c4"));
  }

  @Test
  void aTypeThatThePolicyLacksFailsTheStart() {
    Pod pod = labelled("s0:c3,c4");
    Container container =
        pod.create(
            pod.containerConfig("unknown", "sleep", "1000")
                .set(OPTIONS, options("jrun_e2e_t", "s0:c3,c4")));
    assertThatThrownBy(container::start)
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("jrun_e2e_t")
        .hasMessageContaining("EINVAL");
    container.remove();
  }
}
