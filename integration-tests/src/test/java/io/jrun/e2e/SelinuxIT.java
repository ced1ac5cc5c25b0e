package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// Labels of SELinux, with a kernel and a policy that know them.
@EnabledIf(
    value = "isPossible",
    disabledReason = "needs a kernel with SELinux (make vm-test LSM=selinux)")
class SelinuxIT extends EndToEnd {
  private static final String PROCESS = "system_u:system_r:svirt_t:s0:c1,c2";
  private static final String FILES = "system_u:object_r:svirt_image_t:s0:c1,c2";

  static boolean isPossible() {
    return Files.exists(Path.of("/sys/fs/selinux/status"));
  }

  /// Of a process.
  static String label(long pid) throws IOException {
    return Files.readString(Path.of("/proc", String.valueOf(pid), "attr/current"))
        .replace("\0", "")
        .strip();
  }

  /// Of a file that a process sees, as the file system has it, from outside.
  static String label(long pid, String path) {
    String file = "/proc/" + pid + "/root" + path;
    return Command.of(
            "getfattr", "--absolute-names", "--only-values", "-n", "security.selinux", file)
        .run()
        .succeeds()
        .out()
        .replace("\0", "");
  }

  @Test
  void theProgramHasItsLabel() throws IOException {
    config.setText("/process/selinuxLabel", PROCESS);
    long pid = startSleeper();
    assertThat(label(pid)).isEqualTo(PROCESS);
    assertThat(execSh("tr -d '\\0' < /proc/self/attr/current").succeeds().text())
        .isEqualTo(PROCESS);
    String other = PROCESS.replace("c1,c2", "c5,c9");
    Outcome outcome =
        runtime("exec", "--process-label", other, id, "cat", "/proc/self/attr/current");
    assertThat(outcome.succeeds().out().replace("\0", "").strip()).isEqualTo(other);
    killAndDelete();
  }

  @Test
  void withoutALabelItIsTheCallers() throws IOException {
    long pid = startSleeper();
    assertThat(label(pid)).isEqualTo(label(ProcessHandle.current().pid()));
    killAndDelete();
  }

  @Test
  void whatIsMountedAnewHasTheMountLabel() throws IOException {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Files.writeString(shared.resolve("file"), "x", StandardCharsets.UTF_8);
    config
        .setText("/linux/mountLabel", FILES)
        .mount("{destination:'/tmp',type:'tmpfs',source:'tmpfs'}")
        .mount("{destination:'/mnt',type:'bind',source:'%s',options:['bind']}".formatted(shared));
    long pid = startSleeper();
    for (String path : new String[] {"/dev", "/dev/null", "/dev/shm", "/dev/mqueue", "/tmp"})
      assertThat(label(pid, path)).as(path).isEqualTo(FILES);
    execSh("echo x > /tmp/made").succeeds();
    assertThat(label(pid, "/tmp/made")).isEqualTo(FILES);
    // procfs and sysfs have labels of their own, and what is bound keeps its
    for (String path : new String[] {"/proc", "/sys", "/mnt/file"})
      assertThat(label(pid, path)).as(path).isNotEqualTo(FILES);
    killAndDelete();
  }

  @Test
  void anUnknownLabelIsAnErrorThatLeavesNothing() throws IOException {
    String unknown = "system_u:system_r:" + tag.replace('-', '_') + ":s0";
    config.setText("/process/selinuxLabel", unknown);
    assertThat(run().fails().err()).contains(unknown).contains("EINVAL");
    config.remove("/process", "selinuxLabel").setText("/linux/mountLabel", "nonsense");
    assertThat(run().fails().err()).contains("context");
    assertThat(ids()).isEmpty();
  }
}
