package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// An ordinary user with a systemd of his own, which his containers' scopes and limits come from.
@Tag("vm")
@EnabledIf(value = "isPossible", disabledReason = "needs a systemd of user 1000 (make vm-test)")
class SystemdUserIT extends EndToEnd {
  private static final int UID = 1000;
  private static final Path RUN = Path.of("/run/user/1000");
  private static final Path SLICE =
      Path.of("/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice");

  static boolean isPossible() {
    return Files.exists(RUN.resolve("systemd/private"));
  }

  @BeforeEach
  void makeTheUsersBundle() throws IOException {
    Files.delete(bundle.path().resolve("config.json"));
    chownAll();
    user("spec", "--rootless", "--bundle", bundle.path().toString()).run().succeeds();
    config = Config.read(bundle.path().resolve("config.json"));
    config
        .set("/process/terminal", "false")
        .env("E2E_TAG=" + tag)
        .args("sleep", "1000")
        .setText("/linux/cgroupsPath", "user.slice:" + tag + ":c");
  }

  @AfterEach
  void deleteAndStopTheUsersEngine() throws IOException {
    for (String left : user("list", "-q").run().lines())
      if (!left.isBlank()) user("delete", "--force", left).run();
    user("engine", "stop").run();
    user("engine", "stop").with("XDG_RUNTIME_DIR", temp.toString()).run();
  }

  private void chownAll() throws IOException {
    Command.of("chown", "-hR", UID + ":" + UID, temp.toString()).run().succeeds();
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /// A command in the session of root that runs this test: nothing of its cgroup is the user's.
  private Command user(String... arguments) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "env", "-u", "HOME"));
    words.addAll(command(arguments).words());
    return Command.of(words).with("XDG_RUNTIME_DIR", RUN.toString()).in(Path.of("/"));
  }

  private void start() throws IOException {
    bundle.write(config);
    chownAll();
    user("--systemd-cgroup", "create", "--bundle", bundle.path().toString(), id).run().succeeds();
    user("--systemd-cgroup", "start", id).run().succeeds();
  }

  private Path cgroup() {
    return SLICE.resolve(tag + "-c.scope");
  }

  private String file(String name) throws IOException {
    return Files.readString(cgroup().resolve(name)).strip();
  }

  private void delete() throws IOException {
    user("delete", "--force", id).run().succeeds();
    assertThat(eventually(() -> !Files.exists(cgroup()))).isTrue();
  }

  @Test
  void theScopeIsInTheUsersSliceWithItsLimits() throws IOException {
    config.set(
        "/linux/resources",
        "{memory:{limit:67108864},pids:{limit:42},cpu:{shares:512,quota:25000,period:50000}}");
    start();
    assertThat(file("cgroup.procs").lines()).hasSize(1);
    assertThat(file("memory.max")).isEqualTo("67108864");
    assertThat(file("pids.max")).isEqualTo("42");
    assertThat(file("cpu.max")).isEqualTo("25000 50000");
    assertThat(file("cpu.weight")).isEqualTo("59");
    user("--systemd-cgroup", "update", "--pids-limit", "17", id).run().succeeds();
    assertThat(file("pids.max")).isEqualTo("17");
    delete();
  }

  @Test
  void anExecutedProcessIsInTheScopeToo() throws IOException {
    start();
    assertThat(user("exec", id, "sh", "-c", "echo hello").run().succeeds().out().strip())
        .isEqualTo("hello");
    user("exec", "-d", id, "sleep", "999").run().succeeds();
    assertThat(file("cgroup.procs").lines()).hasSize(2);
    delete();
  }

  @Test
  void pauseAndKillAll() throws IOException {
    start();
    user("pause", id).run().succeeds();
    assertThat(file("cgroup.events")).contains("frozen 1");
    user("resume", id).run().succeeds();
    user("kill", "--all", id, "KILL").run().succeeds();
    assertThat(eventually(() -> !Files.exists(cgroup()))).isTrue();
    delete();
  }

  /// What podman does: it asks through the session's bus, from within a user namespace.
  @Test
  void throughTheSessionsBus() throws IOException {
    assumeTrue(Files.exists(RUN.resolve("bus")), "the user has no bus");
    bundle.write(config);
    chownAll();
    user("--systemd-cgroup", "create", "--bundle", bundle.path().toString(), id)
        .with("XDG_RUNTIME_DIR", temp.toString())
        .with("DBUS_SESSION_BUS_ADDRESS", "unix:path=" + RUN.resolve("bus"))
        .run()
        .succeeds();
    assertThat(cgroup()).isDirectory();
    delete();
  }

  @Test
  void withoutASystemdOfTheUsersItIsSaid() throws IOException {
    bundle.write(config);
    chownAll();
    assertThat(
            user("--systemd-cgroup", "create", "--bundle", bundle.path().toString(), id)
                .with("XDG_RUNTIME_DIR", temp.toString())
                .run()
                .fails()
                .err())
        .contains("no systemd of the user");
  }
}
