package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// `run --image` as an ordinary user.
@JrunOnly
class RootlessImageIT extends EndToEnd {
  private static final int UID = 54341;
  private static final int GID = 54342;

  private Path home() {
    return temp.resolve("home");
  }

  private Path store() {
    return home().resolve(".local/share/jrun");
  }

  @BeforeEach
  void loadImage() throws IOException {
    Path limit = Path.of("/proc/sys/user/max_user_namespaces");
    assumeTrue(
        !Files.exists(limit) || !Files.readString(limit).strip().equals("0"),
        "user namespaces are switched off");
    ImageLayout layout = ImageLayout.make(temp);
    Files.createDirectory(home());
    Command.of("chmod", "-R", "a+rX", layout.directory().toString()).run().succeeds();
    Command.of("chown", UID + ":" + GID, home().toString()).run().succeeds();
    user("image", "load", "--name", "app", layout.directory().toString()).run().succeeds();
  }

  @AfterEach
  void stopTheUsersEngine() throws IOException {
    for (String left : user("list", "-q").run().lines()) {
      if (!left.isBlank()) user("delete", "--force", left).run();
    }
    user("engine", "stop").run();
  }

  private Command user(String... arguments) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "setpriv",
                "--reuid=" + UID,
                "--regid=" + GID,
                "--clear-groups",
                "env",
                "HOME=" + home(),
                "XDG_RUNTIME_DIR=" + home(),
                RUNTIME.path().toString()));
    words.addAll(List.of(arguments));
    return Command.of(words).in(Path.of("/"));
  }

  private Command runImage(String... words) {
    List<String> all = new ArrayList<>(List.of("run", "--image", "app", "-e", "E2E_TAG=" + tag));
    all.addAll(List.of(words));
    return user(all.toArray(String[]::new));
  }

  private void assertNothingIsLeft() {
    assertThat(store().resolve("bundles")).isEmptyDirectory();
  }

  @Test
  void withOneIdAllIsRoots() {
    Outcome outcome =
        runImage(
                "-u",
                "root",
                id,
                "-c",
                "busybox id -u; cat /d/three /keep; echo x > /etc/new; rm /hard; busybox stat -c %u /bin;"
                    + " busybox ls /opaque; cat /proc/mounts | busybox head -n 1")
            .run()
            .succeeds();
    assertThat(outcome.lines()).startsWith("0", "new", "file", "0", "p");
    assertThat(outcome.lines().getLast()).startsWith("jrun / overlay ").contains("userxattr");
    assertNothingIsLeft();
    assertThat(
            runImage("-u", "root", id, "-c", "cat /d/../hard; [ -e /etc/new ] || echo clean")
                .run()
                .succeeds()
                .lines())
        .containsExactly("1", "clean");
    runImage(id).run().failsInOneLine("is not mapped");
    assertThat(
            runImage(
                    "--snapshotter", "copy", "-u", "0", id, "-c", "echo x > /d/three; cat /d/three")
                .run()
                .succeeds()
                .text())
        .isEqualTo("x");
    Outcome full =
        runImage(
                "-u",
                "root",
                "--storage-opt",
                "size=1m",
                id,
                "-c",
                "busybox dd if=/dev/zero of=/big bs=1M count=5")
            .run()
            .fails();
    assertThat(full.err()).contains("No space left on device");
    assertNothingIsLeft();
  }

  @Test
  void aNamedVolumeIsTheUsersOwn() {
    for (String expected : List.of("new", "mine")) {
      assertThat(
              runImage(
                      "-u",
                      "root",
                      "-v",
                      "data:/d",
                      id,
                      "-c",
                      "cat /d/three; echo mine > /d/three; busybox mkdir -m 0 /d/shut 2>/dev/null")
                  .run()
                  .lines())
          .containsExactly(expected);
    }
    assertThat(user("volume", "ls").run().succeeds().text()).isEqualTo("data");
    user("volume", "rm", "data").run().succeeds();
    assertThat(store().resolve("volumes")).isEmptyDirectory();
    assertNothingIsLeft();
  }

  @Test
  void aDetachedContainerLivesAndGoes() {
    runImage("--detach", "-u", "root", "--entrypoint", "/bin/busybox", id, "sleep", "1000")
        .run()
        .succeeds();
    assertThat(
            user("exec", id, "/bin/sh", "-c", "echo mine > /d/mine; cat /d/mine")
                .run()
                .succeeds()
                .text())
        .isEqualTo("mine");
    user("delete", "--force", id).run().succeeds();
    assertNothingIsLeft();
    user("image", "rm", "app").run().succeeds();
    assertThat(store().resolve("snapshots")).isEmptyDirectory();
  }

  @Test
  void aBundleRunsAsTheUserWhoMadeIt() {
    Path bundle = home().resolve("b");
    user("bundle", "create", "--image", "app", bundle.toString())
        .run()
        .failsInOneLine("--user root");
    assertThat(bundle).doesNotExist();
    user(
            "bundle",
            "create",
            "--image",
            "app",
            "-u",
            "root",
            "-e",
            "E2E_TAG=" + tag,
            bundle.toString(),
            "-c",
            "busybox id -u; cat /d/three")
        .run()
        .succeeds();
    assertThat(user("run", "--bundle", bundle.toString(), id).run().succeeds().lines())
        .containsExactly("0", "new");
  }

  @Test
  void subordinateIdsAreTheImagesUsers() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/newuidmap")), "newuidmap is not installed");
    List<Path> files = List.of(Path.of("/etc/subuid"), Path.of("/etc/subgid"));
    List<byte[]> before = new ArrayList<>();
    for (Path file : files) before.add(Files.exists(file) ? Files.readAllBytes(file) : new byte[0]);
    byte[] passwd = Files.readAllBytes(Path.of("/etc/passwd"));
    try {
      append(Path.of("/etc/passwd"), "e2eimages:x:" + UID + ":" + GID + "::/:/bin/sh\n");
      for (Path file : files) append(file, "e2eimages:400000:65536\n");
      assertThat(runImage(id).run().succeeds().lines()).containsExactly("1000", "b", "/d");
      Outcome outcome =
          runImage(
                  "-u",
                  "root",
                  id,
                  "-c",
                  "mkdir /home; busybox chown 1000:100 /home; echo x > /home/f; busybox chown 7:8"
                      + " /home/f; busybox chmod 700 /home; busybox stat -c '%u:%g' /home /home/f")
              .run()
              .succeeds();
      assertThat(outcome.lines()).containsExactly("1000:100", "7:8");
      assertNothingIsLeft();
      assertThat(
              runImage("--snapshotter", "copy", "-u", "user", id, "-c", "id -u; id -G")
                  .run()
                  .succeeds()
                  .lines())
          .containsExactly("1000", "100 7");
      assertNothingIsLeft();
      String script = ImageStoreTest.DEEP_TREE + "; busybox chown 7 /a; busybox chmod 700 /a";
      runImage("-u", "root", id, "-c", script).run().succeeds();
      assertNothingIsLeft();
      user("image", "rm", "app").run().succeeds();
      assertThat(store().resolve("snapshots")).isEmptyDirectory();
    } finally {
      Files.write(Path.of("/etc/passwd"), passwd);
      for (int i = 0; i < files.size(); i++) Files.write(files.get(i), before.get(i));
    }
  }

  private static void append(Path file, String line) throws IOException {
    Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
