package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Containers of images: what the image and the command line say of them, and what they leave.
@JrunOnly
class RunImageIT extends ImageStoreTest {
  @BeforeEach
  void loadImage() {
    ImageLayout layout = ImageLayout.make(temp);
    image("load", "--name", "app", layout.directory().toString()).succeeds();
  }

  private void awaitNothingAside(Path store) {
    Path aside = store.resolve("ingest");
    assertThat(eventually(() -> Objects.requireNonNull(aside.toFile().list()).length == 0))
        .as("nothing stays in %s", aside)
        .isTrue();
  }

  private void assertNothingIsLeft() throws IOException {
    assertThat(temp.resolve("store/bundles")).isEmptyDirectory();
    // what is out of the way is removed behind the command's end, but for what the next one takes
    assertThat(eventually(this::onlySparesAreAside)).as("nothing else stays in ingest").isTrue();
    assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(store());
  }

  private boolean onlySparesAreAside() {
    try {
      for (Path bundle : entries(temp.resolve("store/ingest"))) {
        for (Path directory : entries(bundle)) if (!entries(directory).isEmpty()) return false;
      }
      return true;
    } catch (IOException e) {
      return false; // a file, or something that goes just now
    }
  }

  /// It is made when the container is over, and where the engine has not enough yet, also of other
  /// stores: those go after some seconds.
  private boolean hasSpareAfterARun() {
    try {
      runImage("--rm", id, "-c", "true").succeeds();
      pause(100);
      return entries(temp.resolve("store/ingest")).size() == 1;
    } catch (IOException e) {
      return false;
    }
  }

  private static List<Path> entries(Path directory) throws IOException {
    try (var entries = Files.list(directory)) {
      return entries.toList();
    }
  }

  @Test
  void theImageSaysWhatRunsAndNothingIsLeft() throws IOException {
    assertThat(runImage("--rm", id).succeeds().lines()).containsExactly("1000", "b", "/d");
    assertNothingIsLeft();
    assertThat(runImage(id, "-c", "cat /d/three; exit 5").exits(5).text()).isEqualTo("new");
    assertNothingIsLeft();
    assertThat(eventually(this::hasSpareAfterARun)).isTrue();
    awaitNothingAside(temp.resolve("store"));
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
  void theCommandLineIsUnderstoodAsDockersUsersExpect() throws IOException {
    Files.writeString(Files.createDirectory(temp.resolve("shared")).resolve("f"), "host\n");
    // a name, a path from here on, a volume without a source, the caller's own variables
    assertThat(
            runCommand(
                    "--name",
                    id,
                    "-it",
                    "-u",
                    "0",
                    "-v",
                    "./shared:/v",
                    "-v",
                    "/empty",
                    "-e",
                    "OWN",
                    "-e",
                    "UNSET",
                    "--",
                    "-c",
                    "cat /v/f; busybox ls /empty; echo x > /empty/x; echo $OWN ${UNSET-none}")
                .in(temp)
                .with("OWN", "mine")
                .run()
                .succeeds()
                .out()
                .replace("\r", ""))
        .isEqualTo("host\nmine none\n");
    assertThat(
            runImage(
                    "-u",
                    ":100",
                    "--memory",
                    "0.25GiB",
                    "--pids-limit",
                    "-1",
                    id,
                    "-c",
                    "id -u; id -g; pwd")
                .succeeds()
                .lines())
        .containsExactly("0", "100", "/d");
    assertThat(
            runImage(
                    "-u",
                    "0",
                    "-w",
                    "/made/here",
                    "--cap-add",
                    "ALL",
                    "--cap-drop",
                    "CAP_CHOWN",
                    id,
                    "-c",
                    "pwd; busybox grep CapBnd /proc/self/status")
                .succeeds()
                .lines())
        .containsExactly("/made/here", "CapBnd:\t" + boundingSetWithoutChown());
    runImage("-w", "here", id).failsInOneLine("not an absolute path");
    runImage("-e", "=x", id).failsInOneLine("not a variable");
    runImage("--memory", "4k", id).failsInOneLine("6m");
    runImage("-v", temp + "/none:/v", id).failsInOneLine(temp + "/none", "no such file");
    assertNothingIsLeft();
  }

  private static String boundingSetWithoutChown() throws IOException {
    String line =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(l -> l.startsWith("CapBnd:"))
            .findFirst()
            .orElseThrow();
    return "%016x".formatted(Long.parseUnsignedLong(line.substring(7).strip(), 16) & ~1L);
  }

  @Test
  void aDetachedContainerKeepsItsImageUntilItIsDeleted() throws IOException {
    runImage("--detach", "--entrypoint", "/bin/busybox", id, "sleep", "1000").succeeds();
    runImage(id).failsInOneLine("already exists");
    image("rm", "app").succeeds();
    image("prune").succeeds();
    assertThat(runtime("exec", id, "/bin/busybox", "cat", "/d/three").succeeds().text())
        .isEqualTo("new");
    runtime("delete", "--force", id).succeeds();
    assertNothingIsLeft();
    image("prune").succeeds();
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

  private Outcome volume(String command, String... words) {
    return runtime(
        Stream.concat(Stream.of("volume", command, "--store", store()), Stream.of(words))
            .toArray(String[]::new));
  }

  @Test
  void aNamedVolumeBeginsWithWhatTheImageHasAndStays() throws IOException {
    String look = "busybox stat -c '%a %u:%g' /d; cat /d/three; busybox ls /d";
    assertThat(runImage("-v", "data:/d", id, "-c", look).succeeds().lines())
        .containsExactly("755 0:0", "new", "sub", "three");
    runImage("-u", "0", "-v", "data:/d", id, "-c", "echo mine > /d/three; busybox chown 1000 /d")
        .succeeds();
    // in another place too, and not filled again; a copied root has it as well
    for (String kind : List.of("overlayfs", "copy")) {
      String again = "busybox stat -c '%a %u:%g' /v; cat /v/three; echo x > /v/three";
      assertThat(
              runImage("--snapshotter", kind, "-v", "data:/v:ro", id, "-c", again).fails().lines())
          .containsExactly("755 1000:0", "mine");
    }
    assertThat(runImage("-v", "bare:/d:nocopy", id, "-c", "busybox ls /d").succeeds().out())
        .isEmpty();
    // the place is looked for in the image, as its links lead
    assertThat(runImage("-v", "led:/link", id, "-c", "cat /link/three").succeeds().text())
        .isEqualTo("new");
    runImage("--snapshotter", "copy", "-v", "copied:/d", id, "-c", "cat /d/three").succeeds();
    runImage("-v", "new:/not/there", id, "-c", "busybox stat /not/there").succeeds();
    assertThat(volume("ls").succeeds().lines())
        .containsExactly("bare", "copied", "data", "led", "new");
    assertNothingIsLeft();
    runImage("-v", "..:/v:ro", id, "-c", "true").succeeds(); // a path, as in docker
    runImage("-v", "a b:/v", id).failsInOneLine("not the name of a volume");
    runImage("-v", "data", id).failsInOneLine("name:/destination");
    runImage("-v", "data:v", id).failsInOneLine("name:/destination");
    runtime("bundle", "create", "--image", "app", "--store", store(), "-v", "data:/v", temp + "/b")
        .failsInOneLine("run --image");
  }

  @Test
  void aVolumeIsNotRemovedWhileAContainerHasIt() throws IOException {
    runImage("--detach", "-v", "data:/data", "--entrypoint", "/bin/busybox", id, "sleep", "1000")
        .succeeds();
    volume("rm", "data").failsInOneLine("used by " + id);
    assertThat(volume("inspect", "data").succeeds().out()).contains(id, store() + "/volumes/data");
    image("rm", "app").succeeds();
    image("prune").succeeds();
    assertThat(temp.resolve("store/volumes/data")).isDirectory();
    runtime("delete", "--force", id).succeeds();
    volume("rm", "data").succeeds();
    volume("rm", "data").failsInOneLine("no such volume: data");
    assertThat(volume("create", "data").succeeds().text()).isEqualTo("data");
    volume("create", "data").succeeds();
    assertThat(temp.resolve("store/volumes/data")).isEmptyDirectory();
    assertNothingIsLeft();
  }

  @Test
  void ofSeveralFirstUsesOfAVolumeOneFillsIt() throws IOException {
    List<Command.Running> running = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      running.add(runCommand("-v", "data:/d", newId(), "-c", "cat /d/three").start());
    }
    for (Command.Running one : running) assertThat(one.finish().succeeds().text()).isEqualTo("new");
    assertThat(volume("list").succeeds().lines()).containsExactly("data");
    assertNothingIsLeft();
  }

  /// Compared with podman and docker.
  @Test
  void edgesOfTheOptionsAreAsInDocker() throws IOException {
    Files.writeString(Files.createDirectory(temp.resolve("shared")).resolve("f"), "host\n");
    String here = temp + "/shared:";
    runImage("--cpus", "0", "--memory", "0", "--pids-limit", "0", id, "-c", "true").succeeds();
    runImage("--cpus", "0.001", id).failsInOneLine("at least 0.01");
    runImage("--cpus", "-1", id).failsInOneLine("--cpus");
    runImage("--pids-limit", "-2", id).failsInOneLine("--pids-limit");
    assertThat(runImage("--entrypoint=", id, "/bin/busybox", "echo", "x").succeeds().text())
        .isEqualTo("x");
    runImage("--entrypoint=", id).failsInOneLine("say what to run");
    List<String> harmless = new ArrayList<>(List.of("cached", "delegated", "nocopy", "rshared,ro"));
    if (!Files.exists(Path.of("/sys/fs/selinux/status"))) harmless.addAll(List.of("ro,z", "Z"));
    for (String options : harmless) {
      assertThat(runImage("-v", here + "/v:" + options, id, "-c", "cat /v/f").succeeds().text())
          .isEqualTo("host");
    }
    runImage("-v", here + "/v:ro,rw", id).failsInOneLine("not both");
    runImage("-v", here + "/v:bogus", id).failsInOneLine("bogus");
    runImage("--tmpfs", "/t:bogus", id).failsInOneLine("not an option of a tmpfs: bogus");
    // of mounts in mounts the outer one comes first, in whatever order they are given
    assertThat(
            runImage("-v", here + "/t/v/", "--tmpfs", "/t", id, "-c", "cat /t/v/f")
                .succeeds()
                .text())
        .isEqualTo("host");
    // what the image has where a volume is
    String look = "busybox stat -c '%a %u:%g' /d /new; cat /d/three; echo x > /d/three";
    assertThat(runImage("-u", "0", "-v", "/d", "-v", "/new/", id, "-c", look).succeeds().lines())
        .containsExactly("755 0:0", "755 0:0", "new");
    assertNothingIsLeft();
  }

  @Test
  void whatAContainerDidToItsRootTheNextDoesNotSee() throws IOException {
    String look = "cd /; busybox stat -c '%a %u:%g' .; echo *";
    String before = runImage("-u", "root", id, "-c", look).succeeds().out();
    for (int i = 0; i < 3; i++) {
      runImage("-u", "root", id, "-c", "echo x > /new; busybox chown 7:7 /; busybox chmod 700 /")
          .succeeds();
      assertThat(runImage("-u", "root", id, "-c", look).succeeds().out()).isEqualTo(before);
    }
    runImage("-u", "root", "--storage-opt", "size=2m", id, "-c", look).succeeds();
    Outcome copy = runImage("-u", "root", "--snapshotter", "copy", id, "-c", look).succeeds();
    assertThat(copy.out()).isEqualTo(before);
    assertNothingIsLeft();
  }

  @Test
  void treesDeeperThanAnyPathGoToo() throws IOException {
    runImage("-u", "root", id, "-c", DEEP_TREE).succeeds();
    assertNothingIsLeft();
  }

  @Test
  void pruneLeavesContainersOfAnEarlierJrun() throws IOException {
    runImage("--detach", "--entrypoint", "/bin/busybox", id, "sleep", "1000").succeeds();
    Path store = temp.resolve("store");
    Path bundle = store.resolve("bundles").resolve(id);
    // the owner was a file, and the lease lay with all others
    Files.createDirectory(store.resolve("leases"));
    Files.move(bundle.resolve("lease"), store.resolve("leases").resolve(id));
    Files.writeString(bundle.resolve("owner"), temp + "/state");
    image("rm", "app").succeeds();
    for (String root : List.of("state", "other")) {
      Command.of(
              RUNTIME.path().toString(),
              "--root",
              temp + "/" + root,
              "image",
              "prune",
              "--store",
              store())
          .run()
          .succeeds();
      assertThat(runtime("exec", id, "/bin/busybox", "cat", "/d/three").succeeds().text())
          .isEqualTo("new");
    }
    // and before that, nothing said whose a bundle was but the container itself
    Files.delete(bundle.resolve("owner"));
    image("prune").succeeds();
    assertThat(bundle).exists();
    runtime("delete", "--force", id).succeeds();
    assertNothingIsLeft();
    image("prune").succeeds();
    assertThat(store.resolve("snapshots")).isEmptyDirectory();
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
      running.add(runCommand(id, "-c", "busybox sleep 1; echo ran").start());
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

  @Test
  void onlyTheContainerHasItsRootMounted() throws IOException {
    runImage("--detach", "--entrypoint", "/bin/busybox", id, "sleep", "1000").succeeds();
    assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(store());
    assertThat(runtime("exec", id, "/bin/busybox", "cat", "/proc/mounts").succeeds().out())
        .startsWith("jrun / overlay ");
    // there is nothing that a crash of engine and client could leave mounted
    long pid = state().get("pid").asLong();
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
    assertNothingIsLeft();
  }

  @Test
  void aCopyIsTheSameTreeAsTheLayersStacked() throws IOException {
    String script =
        "cd /; for d in bin d etc/passwd etc/group keep link opaque hard; do busybox find $d -exec busybox stat -c"
            + " '%n %F %a %u:%g %Y %h' {} \\;; done; cat keep opaque/p d/three d/sub/two";
    String stacked =
        runImage("--snapshotter", "overlayfs", "-u", "root", id, "-c", script).succeeds().out();
    Outcome copied = runImage("--snapshotter", "copy", "-u", "root", id, "-c", script).succeeds();
    // a directory of several layers has one link in overlayfs; names of hosts are each container's
    String links = "(directory .*) \\d+\n";
    String names = "(?m)^etc(/hosts|/hostname|/resolv.conf)? .*\n";
    assertThat(copied.out().replaceAll(links, "$1\n").replaceAll(names, ""))
        .isEqualTo(stacked.replaceAll(links, "$1\n").replaceAll(names, ""));
    runImage("--snapshotter", "copy", "-u", "root", id, "-c", "echo x > /d/three; rm /keep")
        .succeeds();
    assertThat(runImage("--snapshotter", "copy", id, "-c", "cat /d/three /keep").succeeds().text())
        .isEqualTo("new\nfile");
    runImage("--snapshotter", "zfs", id).failsInOneLine("no snapshotter");
    assertNothingIsLeft();
  }

  @Test
  void whereOverlayfsCannotStackTheRootIsACopy() throws IOException {
    // overlayfs takes no overlayfs for its upper directory
    Command.of(
            "bash",
            "-c",
            "cd $0; mkdir -p o/l o/u o/w o/m; mount -t overlay o -o lowerdir=o/l,upperdir=o/u,workdir=o/w"
                + " o/m && cp -a store o/m/store",
            temp.toString())
        .run()
        .succeeds();
    try {
      String other = temp + "/o/m/store";
      Outcome outcome =
          command(
                  "--debug",
                  "run",
                  "--image",
                  "app",
                  "--store",
                  other,
                  "-u",
                  "0",
                  id,
                  "-c",
                  "echo x > /new; cat /d/three /new; busybox stat -f -c %T /")
              .run()
              .succeeds();
      assertThat(outcome.lines()).startsWith("new", "x");
      assertThat(outcome.err()).contains("a copy");
      command("run", "--snapshotter", "overlayfs", "--image", "app", "--store", other, id)
          .run()
          .failsInOneLine("jrun run failed");
      assertThat(temp.resolve("o/m/store/bundles")).isEmptyDirectory();
    } finally {
      awaitNothingAside(temp.resolve("o/m/store"));
      Command.of("umount", temp + "/o/m").run().succeeds();
    }
  }

  @Test
  void aCopySharesContentWhereTheFileSystemCan() throws IOException {
    Machine.assumeInstalled("mkfs.btrfs");
    Path disk = temp.resolve("disk");
    Path mounted = Files.createDirectory(temp.resolve("btrfs"));
    Command.of(
            "bash",
            "-c",
            "truncate -s 300M $0 && mkfs.btrfs -q -m single $0 && mount -o loop $0 $1 && mkdir $2 && head"
                + " -c 100M /dev/urandom > $2/big",
            disk.toString(),
            mounted.toString(),
            temp + "/tree")
        .run()
        .succeeds();
    try {
      String other = mounted + "/store";
      Path archive = temp.resolve("big.tar");
      runtime("rootfs", "pack", "--oci", "--name", "big", temp + "/tree", archive.toString())
          .succeeds();
      runtime("image", "load", "--store", other, archive.toString()).succeeds();
      // the image and its tree fill the disk: a second tree fits only where it shares the first
      Outcome outcome =
          command(
                  "run",
                  "--snapshotter",
                  "copy",
                  "--image",
                  "big",
                  "--store",
                  other,
                  "--entrypoint",
                  "/none",
                  id)
              .run()
              .fails();
      assertThat(outcome.err()).contains("/none").doesNotContain("space");
    } finally {
      awaitNothingAside(mounted.resolve("store"));
      Command.of("umount", mounted.toString()).run().succeeds();
    }
  }

  @Test
  void whatAContainerChangesCanBeLimited() throws IOException {
    Outcome outcome =
        runImage(
            "-u",
            "root",
            "--storage-opt",
            "size=2m",
            id,
            "-c",
            "busybox dd if=/dev/zero of=/big bs=1M count=5; busybox stat -c %s /big; cat /d/three");
    assertThat(outcome.err()).contains("No space left on device");
    assertThat(outcome.lines().getLast()).isEqualTo("new");
    assertThat(Long.parseLong(outcome.lines().getFirst().strip())).isLessThanOrEqualTo(2 << 20);
    runImage("--storage-opt", "speed=1", id).failsInOneLine("size=");
    runImage("--snapshotter", "copy", "--storage-opt", "size=2m", id).failsInOneLine("overlayfs");
    assertNothingIsLeft();
  }

  @Test
  void pruneTakesAwayWhatKilledRunsLeftAndNoMore() throws IOException {
    runImage("--detach", "--entrypoint", "/bin/busybox", id, "sleep", "1000").succeeds();
    Path bundles = temp.resolve("store/bundles");
    for (String name : List.of("left", "taken")) {
      Path changes = Files.createDirectories(bundles.resolve(name).resolve("upper/d"));
      Files.writeString(changes.resolve("file"), "x");
      Files.copy(bundles.resolve(id).resolve("lease"), bundles.resolve(name).resolve("lease"));
    }
    // of a run that had taken its id and not come as far as a state
    Files.createDirectory(root.resolve("taken"));
    assertThat(image("prune").succeeds().out()).contains("released 2 bundles");
    assertThat(bundles).isDirectoryNotContaining(path -> !path.endsWith(id));
    assertThat(runtime("exec", id, "/bin/busybox", "cat", "/d/three").succeeds().text())
        .isEqualTo("new");
    runtime("delete", "--force", id).succeeds();
    assertNothingIsLeft();
  }

  @Test
  void aRunKilledAtAnyMomentLeavesWhatPruneTakes() throws IOException {
    for (int millis = 0; millis < 1200; millis += 240) {
      killAfter(millis, runCommand(newId(), "-c", "true"));
    }
    // an engine whose client was killed may still be making what that had begun, or undoing it
    Path bundles = temp.resolve("store/bundles");
    assertThat(
            eventually(() -> {
              for (String left : ids()) runtime("delete", "--force", left).succeeds();
              image("prune").succeeds();
              return Objects.requireNonNull(bundles.toFile().list()).length == 0;
            }))
        .as("no bundle stays")
        .isTrue();
    assertNothingIsLeft();
    assertThat(runImage(id).succeeds().lines()).containsExactly("1000", "b", "/d");
  }
}
