package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// `run --image`.
@JrunOnly
class RunImageIT extends EndToEnd {
  private String store() {
    return temp.resolve("store").toString();
  }

  @BeforeEach
  void loadImage() {
    ImageLayout layout = ImageLayout.make(temp);
    runtime("image", "load", "--store", store(), "--name", "app", layout.directory().toString())
        .succeeds();
  }

  private Outcome runImage(String... words) {
    List<String> all =
        new ArrayList<>(
            List.of("run", "--image", "app", "--store", store(), "-e", "E2E_TAG=" + tag));
    all.addAll(List.of(words));
    return runtime(all.toArray(String[]::new));
  }

  private void assertNothingIsLeft() throws IOException {
    assertThat(temp.resolve("store/bundles")).isEmptyDirectory();
    assertThat(temp.resolve("store/leases")).isEmptyDirectory();
    assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(store());
  }

  @Test
  void theImageSaysWhatRunsAndNothingIsLeft() throws IOException {
    assertThat(runImage("--rm", id).succeeds().lines()).containsExactly("1000", "b", "/d");
    assertNothingIsLeft();
    assertThat(runImage(id, "-c", "cat /d/three; exit 5").exits(5).text()).isEqualTo("new");
    assertNothingIsLeft();
  }

  @Test
  void layersAreSharedAndChangesAreTheContainersOwn() throws IOException {
    runImage("-u", "root", id, "-c", "echo mine > /d/three; rm /keep; cat /d/three").succeeds();
    assertThat(runImage("-u", "root", newId(), "-c", "cat /d/three /keep").succeeds().text())
        .isEqualTo("new\nfile");
    try (var snapshots = Files.list(temp.resolve("store/snapshots"))) {
      assertThat(snapshots).hasSize(2);
    }
    assertNothingIsLeft();
  }

  @Test
  void theCommandLineAdjustsIt() throws IOException {
    Files.writeString(Files.createDirectory(temp.resolve("shared")).resolve("f"), "host\n");
    String script =
        "id -u; echo $A; pwd; cat /v/f; cat /proc/mounts | busybox grep -c ' /t tmpfs';"
            + " busybox hostname; echo x > /new || echo read-only";
    assertThat(
            runImage(
                    "-e",
                    "A=c",
                    "-u",
                    "0",
                    "-w",
                    "/tmp",
                    "-v",
                    temp + "/shared:/v:ro",
                    "--tmpfs",
                    "/t",
                    "--hostname",
                    "there",
                    "--read-only",
                    "--memory",
                    "64m",
                    "--pids-limit",
                    "30",
                    "--cpus",
                    "0.5",
                    "--cap-drop",
                    "all",
                    id,
                    "-c",
                    script)
                .succeeds()
                .lines())
        .containsExactly("0", "c", "/tmp", "host", "1", "there", "read-only");
    runImage("--memory", "lots", id).failsInOneLine("lots");
    runImage("--cap-add", "fly", id).failsInOneLine("no capability: fly");
    assertNothingIsLeft();
  }

  @Test
  void aDetachedContainerKeepsItsImageUntilItIsDeleted() throws IOException {
    runImage("--detach", "--entrypoint", "/bin/busybox", id, "sleep", "1000").succeeds();
    runImage(id).failsInOneLine("already exists");
    runtime("image", "rm", "--store", store(), "app").succeeds();
    runtime("image", "prune", "--store", store()).succeeds();
    assertThat(runtime("exec", id, "/bin/busybox", "cat", "/d/three").succeeds().text())
        .isEqualTo("new");
    runtime("delete", "--force", id).succeeds();
    assertNothingIsLeft();
    runtime("image", "prune", "--store", store()).succeeds();
    assertThat(temp.resolve("store/snapshots")).isEmptyDirectory();
  }

  @Test
  void whatCannotRunLeavesNothing() throws IOException {
    runImage("--entrypoint", "/no/such/program", id).fails();
    assertNothingIsLeft();
    runtime("run", "--image", "missing", "--store", store(), id).failsInOneLine("no such image");
    runImage("-u", "nobody-knows", id).failsInOneLine("nobody-knows");
    assertNothingIsLeft();
  }

  @Test
  void whatAKilledRunLeftGoesWithTheNextOfThatName() throws IOException {
    Path left =
        Files.createDirectories(temp.resolve("store/bundles").resolve(id).resolve("rootfs"));
    Files.writeString(left.resolve("file"), "left");
    runImage(id, "-c", "true").succeeds();
    assertNothingIsLeft();
  }

  @Test
  void aContainerOfAnotherStateDirectoryIsNotTouched() throws IOException {
    runImage("--detach", "--entrypoint", "/bin/busybox", id, "sleep", "1000").succeeds();
    Command.of(
            RUNTIME.path().toString(),
            "--root",
            temp + "/other",
            "run",
            "--image",
            "app",
            "--store",
            store(),
            id)
        .run()
        .failsInOneLine("exists already");
    assertThat(runtime("exec", id, "/bin/busybox", "cat", "/d/three").succeeds().text())
        .isEqualTo("new");
    runtime("delete", "--force", id).succeeds();
    assertNothingIsLeft();
  }

  @Test
  void ofSeveralRunsWithOneIdOneRuns() throws IOException {
    List<Command.Running> running = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      running.add(
          command(
                  "run",
                  "--image",
                  "app",
                  "--store",
                  store(),
                  "-e",
                  "E2E_TAG=" + tag,
                  id,
                  "-c",
                  "busybox sleep 1; echo ran")
              .start());
    }
    int ran = 0;
    for (Command.Running one : running) {
      Outcome outcome = one.finish();
      if (outcome.status() == 0) ran++;
      else assertThat(outcome.err()).contains("exists already");
    }
    assertThat(ran).isPositive();
    assertNothingIsLeft();
  }

  @Test
  void theHostsOfAnImageAreNamed() throws IOException {
    assertThat(
            runImage("--hostname", "there", id, "-c", "cat /etc/hosts /etc/hostname")
                .succeeds()
                .lines())
        .contains("127.0.0.1\tlocalhost", "there");
    runtime("sandbox", "run", "--hostname", "pod", tag + "-s").succeeds();
    try {
      assertThat(
              runImage(
                      "--sandbox", tag + "-s", newId(), "-c", "busybox hostname; cat /etc/hostname")
                  .succeeds()
                  .lines())
          .containsExactly("pod", "pod");
    } finally {
      runtime("sandbox", "rm", "--force", tag + "-s").succeeds();
    }
    assertNothingIsLeft();
  }
}
