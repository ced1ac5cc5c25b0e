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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/// podman of an ordinary user, whom the test makes and removes. podman then calls the runtime as
/// root of a user namespace of that user's.
@ResourceLock("/etc/subuid")
class RootlessPodmanIT extends PodmanCalls {
  private long uid;

  @Override
  void prepareCaller() throws IOException {
    Machine.assumeInstalled("useradd", "newuidmap", "setpriv");
    Path home = Files.createDirectory(temp.resolve("home"));
    Path run = Files.createDirectory(temp.resolve("xdg"));
    Command.of("useradd", "--no-create-home", "--home-dir", home.toString(), tag).run().succeeds();
    uid = Long.parseLong(Command.of("id", "-u", tag).run().succeeds().text());
    assumeTrue(
        Files.readString(Path.of("/etc/subuid")).contains(tag + ":"),
        "useradd gives no subordinate ids here");
    Files.setPosixFilePermissions(run, PosixFilePermissions.fromString("rwx------"));
    Command.of("chown", "-R", tag, home.toString(), run.toString()).run().succeeds();
  }

  @AfterEach
  void removeTheUser() throws IOException {
    if (uid == 0) return;
    removeAll(); // before the user goes
    if (RUNTIME.isJrun()) {
      podman("unshare", RUNTIME.path().toString(), "engine", "stop").run();
    }
    // podman keeps a process for its user namespace
    podman("system", "migrate").run();
    Path pause = temp.resolve("xdg/libpod/tmp/pause.pid");
    if (Files.exists(pause)) {
      ProcessHandle.of(Long.parseLong(Files.readString(pause).strip()))
          .ifPresent(ProcessHandle::destroyForcibly);
    }
    assertThat(eventually(() -> Command.of("pgrep", "-u", tag).run().status() != 0))
        .as("no process of the user is left: %s", Command.of("pgrep", "-a", "-u", tag).run())
        .isTrue();
    Command.of("userdel", tag).run().succeeds();
  }

  @Override
  List<String> caller() {
    List<String> words =
        new ArrayList<>(List.of("setpriv", "--reuid=" + uid, "--regid=" + tag, "--clear-groups"));
    words.addAll(
        List.of(
            "env",
            "-i",
            "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "USER=" + tag,
            "HOME=" + temp.resolve("home"),
            "XDG_RUNTIME_DIR=" + temp.resolve("xdg")));
    return words;
  }

  @Override
  List<String> places() {
    return List.of();
  }

  @Test
  void rootInsideIsTheUserOutside() throws IOException {
    assertThat(
            isolatedRun(
                    "--rm",
                    BusyboxImage.NAME,
                    "sh",
                    "-c",
                    "id -u; head -n 1 /proc/self/uid_map | tr -s ' '")
                .run()
                .succeeds()
                .lines()
                .stream()
                .map(String::strip))
        .containsExactly("0", "0 " + uid + " 1");
  }
}
