package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// Profiles of AppArmor, with a kernel that enforces them.
@Tag("vm")
@EnabledIf(
    value = "isPossible",
    disabledReason = "needs a kernel with AppArmor, and apparmor_parser (make vm-test)")
class AppArmorIT extends EndToEnd {
  private Path profile() {
    return temp.resolve("profile");
  }

  static boolean isPossible() throws IOException {
    Path enabled = Path.of("/sys/module/apparmor/parameters/enabled");
    return Files.isExecutable(Path.of("/sbin/apparmor_parser"))
        && Files.exists(enabled)
        && Files.readString(enabled).startsWith("Y");
  }

  @BeforeEach
  void loadAProfile() throws IOException {
    Files.writeString(
        profile(),
        "profile %s flags=(attach_disconnected) { file, capability, network, signal, ptrace, umount, mount, deny /secret r, deny /forbidden/** w, }\n"
            .formatted(tag));
    Command.of("/sbin/apparmor_parser", "--add", "--skip-cache", profile().toString())
        .run()
        .succeeds();
    Files.writeString(bundle.rootfs().resolve("secret"), "secret\n");
    Files.writeString(bundle.rootfs().resolve("open"), "open\n");
    Files.createDirectory(bundle.rootfs().resolve("forbidden"));
    config.writableRoot().setText("/process/apparmorProfile", tag);
  }

  @AfterEach
  void removeIt() {
    if (Files.exists(profile()))
      Command.of("/sbin/apparmor_parser", "--remove", profile().toString()).run();
  }

  @Test
  void whatTheProfileDeniesIsDenied() throws IOException {
    Outcome outcome =
        runSh(
            "cat /proc/self/attr/current; cat /open; cat /secret; echo x > /forbidden/file; echo x > /allowed && echo wrote");
    assertThat(outcome.out())
        .contains(tag + " (enforce)")
        .contains("open")
        .contains("wrote")
        .doesNotContain("secret");
    assertThat(outcome.err())
        .contains("/secret': Permission denied")
        .contains("/forbidden/file: Permission denied");
    config.remove("/process", "apparmorProfile");
    assertThat(runSh("cat /proc/self/attr/current; cat /secret").succeeds().out())
        .contains("unconfined")
        .contains("secret");
  }

  @Test
  void anExecutedProcessHasTheProfileOrAnother() throws IOException {
    startSleeper();
    assertThat(execSh("cat /secret").fails().err()).contains("Permission denied");
    assertThat(runtime("exec", "--apparmor", "unconfined", id, "cat", "/secret").succeeds().out())
        .contains("secret");
    killAndDelete();
  }

  @Test
  void anUnknownProfileIsAnErrorThatLeavesNothing() throws IOException {
    config.setText("/process/apparmorProfile", tag + "-none");
    assertThat(run().fails().err()).contains("apparmor").contains(tag + "-none");
  }

  @Test
  void aLabelOfSelinuxIsRefused() throws IOException {
    assumeTrue(!Files.exists(Path.of("/sys/fs/selinux/status")), "the kernel has SELinux");
    config
        .remove("/process", "apparmorProfile")
        .setText("/process/selinuxLabel", "system_u:system_r:container_t:s0");
    assertThat(run().fails().err()).contains("selinux");
  }
}
