package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What the tests of `--systemd-cgroup` share, with the systemd that this machine was started by,
/// and the tests that are the same whatever the hierarchies of cgroups are.
abstract class SystemdTest extends EndToEnd {
  /// Whether the freezer of [#unit] says that all in it stand still.
  abstract boolean isFrozen() throws IOException;

  static boolean isSystemd() {
    return Files.isDirectory(Path.of("/run/systemd/system"));
  }

  @BeforeEach
  void nameTheScope() {
    config.setText("/linux/cgroupsPath", "system.slice:" + tag + ":c");
  }

  @AfterEach
  void noUnitIsLeft() {
    for (String left : ids()) runtime("delete", "--force", left);
    Outcome units =
        Command.of("systemctl", "list-units", "--all", "--plain", "--no-legend", tag + "*").run();
    assertThat(units.out()).as("units left").isBlank();
  }

  final String unit() {
    return tag + "-c.scope";
  }

  static Map<String, String> show(String unit) {
    Map<String, String> properties = new TreeMap<>();
    for (String line : Command.of("systemctl", "show", unit).run().succeeds().lines()) {
      int equals = line.indexOf('=');
      if (equals > 0) properties.put(line.substring(0, equals), line.substring(equals + 1));
    }
    return properties;
  }

  final Outcome systemd(String... arguments) {
    return systemdCommand(arguments).run();
  }

  final Command systemdCommand(String... arguments) {
    List<String> words = new ArrayList<>(List.of("--systemd-cgroup"));
    words.addAll(List.of(arguments));
    return command(words.toArray(String[]::new));
  }

  final Outcome createScope() throws IOException {
    bundle.write(config);
    return systemd("create", "--bundle", bundle.path().toString(), id);
  }

  /// After which systemd writes again what it knows of every unit.
  static void reload() {
    Command.of("systemctl", "daemon-reload").run().succeeds();
  }

  final long startScope() throws IOException {
    config.args("sleep", "1000");
    createScope().succeeds();
    systemd("start", id).succeeds();
    return state().get("pid").asLong();
  }

  final Outcome runScope() throws IOException {
    bundle.write(config);
    return systemd("run", "--bundle", bundle.path().toString(), id);
  }

  @Test
  void runInTheForegroundLeavesNothing() throws IOException {
    config.sh("exit 5");
    runScope().exits(5);
    assertThat(cgroups()).isEmpty();
    assertThat(ids()).isEmpty();
  }

  @Test
  void devicesStayDeniedAfterAReload() throws IOException {
    String disk = Files.readString(Path.of("/sys/block/vda/dev")).strip().replace(':', ' ');
    config.capabilities("CAP_MKNOD");
    startScope();
    reload();
    execSh("mknod /dev/disk b " + disk).succeeds();
    assertThat(execSh("head -c 1 /dev/disk").fails().err()).contains("Operation not permitted");
    assertThat(execSh("head -c 4 /dev/zero | wc -c").succeeds().out().strip()).isEqualTo("4");
    killAndDelete();
  }

  @Test
  void pauseResumeAndKillAll() throws IOException {
    startScope();
    systemd("pause", id).succeeds();
    assertThat(status()).isEqualTo("paused");
    assertThat(isFrozen()).isTrue();
    systemd("resume", id).succeeds();
    assertThat(status()).isEqualTo("running");
    assertThat(isFrozen()).isFalse();
    systemd("kill", "--all", id, "KILL").succeeds();
    awaitStatus("stopped");
    systemd("delete", id).succeeds();
  }
}
