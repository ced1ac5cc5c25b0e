package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `image …`, `rootfs unpack` of images and `bundle create`, beside umoci and skopeo.
@JrunOnly
class ImageIT extends ImageStoreTest {
  private long blobs() throws IOException {
    try (var files = Files.walk(temp.resolve("store/blobs"))) {
      return files.filter(Files::isRegularFile).count();
    }
  }

  /// Without the file systems' own times of what no archive describes.
  private static List<String> tree(Path directory) {
    return Trees.of(directory).stream().filter(line -> !line.startsWith("\td\t")).toList();
  }

  @Test
  void everySourceUnpacksToWhatUmociMakes() {
    ImageLayout layout = ImageLayout.make(temp);
    List<String> expected = tree(layout.unpackedByUmoci());
    Path docker = layout.as("docker-archive", "docker.tar");
    Path oci = layout.as("oci-archive", "oci.tar");
    Command.of("gzip", "-k", docker.toString()).run().succeeds();
    Command.of("zstd", "-q", "-k", oci.toString()).run().succeeds();
    int number = 0;
    for (String source :
        List.of("layout", "docker.tar", "oci.tar", "docker.tar.gz", "oci.tar.zst")) {
      Path to = temp.resolve("to" + number++);
      runtime("rootfs", "unpack", temp.resolve(source).toString(), to.toString()).succeeds();
      assertThat(tree(to)).as(source).isEqualTo(expected);
    }
    Path piped = temp.resolve("piped");
    Command.of(
            "bash",
            "-c",
            "gzip -c $0 | $1 rootfs unpack - $2",
            oci.toString(),
            RUNTIME.path().toString(),
            piped.toString())
        .run()
        .succeeds();
    assertThat(tree(piped)).isEqualTo(expected);
  }

  @Test
  void contentIsSharedNamedAndCollected() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    Path docker = layout.as("docker-archive", "docker.tar");
    assertThat(
            image("load", "--name", "my/thing:1", layout.directory().toString()).succeeds().text())
        .isEqualTo("my/thing:1");
    long first = blobs();
    image("load", "--name", "again", layout.directory().toString()).succeeds();
    assertThat(blobs()).isEqualTo(first);
    image("load", "--name", "docker", docker.toString()).succeeds();
    image("tag", "my/thing:1", "other").succeeds();
    assertThat(image("list").succeeds().out())
        .contains("my/thing:1", "again:latest", "docker:latest", "other:latest");
    image("verify").succeeds();
    assertThat(image("inspect", "other").succeeds().out()).contains("\"linux/amd64\"", "diff_ids");
    image("rm", "docker").succeeds();
    assertThat(blobs()).isEqualTo(first);
    image("rm", "again", "other").succeeds();
    assertThat(blobs()).isEqualTo(first);
    image("rm", "my/thing:1").succeeds();
    assertThat(blobs()).isZero();
    image("inspect", "other").failsInOneLine("no such image: other");
  }

  @Test
  void damageIsFoundAndNothingOfItIsKept() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    image("load", "--name", "good", layout.directory().toString()).succeeds();
    Path layer = largestBlob(temp.resolve("store"));
    byte[] content = Files.readAllBytes(layer);
    content[content.length / 2] ^= 1;
    Files.write(layer, content);
    image("verify").fails();
    Path sameLayer =
        layout.directory().resolve("blobs/sha256").resolve(layer.getFileName().toString());
    Files.write(sameLayer, content);
    runtime("rootfs", "unpack", layout.directory().toString(), temp + "/bad").fails();
    assertThat(temp.resolve("bad")).doesNotExist();
    String other = temp.resolve("store2").toString();
    runtime("image", "load", "--store", other, layout.directory().toString())
        .failsInOneLine("has the digest");
    assertThat(runtime("image", "list", "-q", "--store", other).succeeds().out()).isEmpty();
    Files.write(sameLayer, java.util.Arrays.copyOf(content, content.length - 1));
    runtime("image", "load", "--store", other, layout.directory().toString())
        .failsInOneLine("bytes, not");
  }

  @Test
  void whoOnlyReadsMakesNoStore() {
    String noImage = "no such image: app";
    String archive = temp + "/saved.tar";
    for (String at : List.of(store(), temp + "/deep/store")) {
      assertThat(runtime("image", "list", "-q", "--store", at).succeeds().out()).isEmpty();
      assertThat(runtime("volume", "list", "--store", at).succeeds().out()).isEmpty();
      runtime("image", "verify", "--store", at).succeeds();
      runtime("image", "prune", "--store", at).succeeds();
      runtime("image", "inspect", "--store", at, "app").failsInOneLine(noImage);
      runtime("image", "tag", "--store", at, "app", "b").failsInOneLine(noImage);
      runtime("image", "rm", "--store", at, "app").failsInOneLine(noImage);
      runtime("image", "save", "--store", at, "app", archive).failsInOneLine(noImage);
      runtime("image", "push", "--store", at, "app", "127.0.0.1:1/a").failsInOneLine(noImage);
      runtime("volume", "inspect", "--store", at, "v").failsInOneLine("no such volume: v");
      runtime("volume", "rm", "--store", at, "v").failsInOneLine("no such volume: v");
      runtime("run", "--image", "app", "--store", at, id).failsInOneLine(noImage);
      runtime("bundle", "create", "--image", "app", "--store", at, temp + "/made")
          .failsInOneLine(noImage);
    }
    assertThat(temp.resolve("store")).doesNotExist();
    assertThat(temp.resolve("deep")).doesNotExist();
    assertThat(temp.resolve("made")).doesNotExist();
    assertThat(temp.resolve("saved.tar")).doesNotExist();
    runtime("image", "list", "--store", bundle.path() + "/config.json")
        .failsInOneLine("the store " + bundle.path() + "/config.json: not a directory");
    // another program's layout stays as it was, too
    Path layout = ImageLayout.make(temp).directory();
    List<String> before = Trees.of(layout);
    String name = runtime("image", "list", "-q", "--store", layout.toString()).succeeds().text();
    runtime("image", "inspect", "--store", layout.toString(), name).succeeds();
    runtime("image", "verify", "--store", layout.toString()).succeeds();
    assertThat(Trees.of(layout)).isEqualTo(before);
  }

  private static Path largestBlob(Path layout) throws IOException {
    try (var files = Files.list(layout.resolve("blobs/sha256"))) {
      return files.max(java.util.Comparator.comparingLong(p -> p.toFile().length())).orElseThrow();
    }
  }

  @Test
  void aLoadThatIsKilledLeavesAStoreThatWorks() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    for (int millis = 0; millis < 900; millis += 130) {
      Command.Running running =
          Command.of(
                  RUNTIME.path().toString(),
                  "image",
                  "load",
                  "--store",
                  store(),
                  "--name",
                  "x",
                  layout.directory().toString())
              .with("JRUN_ENGINE", "off")
              .start();
      pause(millis);
      // the one-shot engine is a child of the client
      running.process().descendants().forEach(ProcessHandle::destroyForcibly);
      running.process().destroyForcibly();
      running.finish();
      Outcome list = image("list", "-q").succeeds();
      if (!list.text().isEmpty()) image("verify", "x").succeeds();
      image("prune").succeeds();
    }
    image("load", "--name", "x", layout.directory().toString()).succeeds();
    image("verify", "x").succeeds();
    assertThat(temp.resolve("store/ingest")).isEmptyDirectory();
  }

  @Test
  void severalProcessesLoadAndCollectAtOnce() throws Exception {
    ImageLayout layout = ImageLayout.make(temp);
    List<Command.Running> running = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      String script =
          "for i in 1 2 3; do $0 image load --store $1 --name n$2 $3 >/dev/null || exit 1;"
              + " $0 image verify --store $1 n$2 >/dev/null || exit 2; $0 image rm --store $1 n$2"
              + " || exit 3; $0 image prune --store $1 >/dev/null || exit 4; done";
      running.add(
          Command.of(
                  "bash",
                  "-c",
                  script,
                  RUNTIME.path().toString(),
                  store(),
                  Integer.toString(i),
                  layout.directory().toString())
              .start());
    }
    for (Command.Running one : running) one.finish().succeeds();
    assertThat(blobs()).isZero();
  }

  @Test
  void aBundleOfAnImageRuns() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    image("load", "--name", "app", layout.directory().toString()).succeeds();
    Path to = temp.resolve("made");
    runtime("bundle", "create", "--store", store(), "--image", "app", to.toString()).succeeds();
    Config made = Config.read(to.resolve("config.json"));
    assertThat(made.at("/process/user/uid").asInt()).isEqualTo(1000);
    assertThat(made.at("/process/user/gid").asInt()).isEqualTo(100);
    assertThat(made.at("/process/user/additionalGids").toString()).isEqualTo("[100,7]");
    assertThat(made.at("/annotations/x").asString()).isEqualTo("y");
    assertThat(made.at("/annotations/org.opencontainers.image.stopSignal").asString())
        .isEqualTo("SIGINT");
    assertThat(made.at("/annotations/org.opencontainers.image.exposedPorts").asString())
        .isEqualTo("80/tcp");
    assertThat(made.at("/mounts").toString()).contains("\"/data\"");
    assertThat(tree(to.resolve("rootfs"))).isEqualTo(tree(layout.unpackedByUmoci()));
    bundle = new Bundle(to);
    config = made.env("E2E_TAG=" + tag);
    assertThat(run().succeeds().lines()).containsExactly("1000", "b", "/d");
  }

  @Test
  void aDamagedStoreSaysWhatToDo() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    String source = layout.directory().toString();
    image("load", "--name", "app", source).succeeds();
    Path layer = largestBlob(temp.resolve("store"));
    byte[] content = Files.readAllBytes(layer);
    byte[] damaged = content.clone();
    damaged[content.length / 2] ^= 1;
    String name = "sha256:" + layer.getFileName();
    Files.write(layer, damaged);
    String again = "remove the image, and load or pull it again";
    image("verify").failsInOneLine(name, again);
    image("save", "app", temp + "/saved.tar").failsInOneLine(name, again);
    assertThat(temp.resolve("saved.tar")).doesNotExist();
    runImage(id).failsInOneLine(name, again);
    image("rm", "app").succeeds();
    image("load", "--name", "app", source).succeeds();
    image("verify").succeeds();
    for (int length : new int[] {content.length - 1, -1}) {
      if (length < 0) Files.delete(layer);
      else Files.write(layer, java.util.Arrays.copyOf(content, length));
      runImage(id).failsInOneLine(name, "load or pull the image again");
      image("load", "--name", "app", source).succeeds();
      image("verify").succeeds();
    }
    Path index = temp.resolve("store/index.json");
    byte[] names = Files.readAllBytes(index);
    for (String text : List.of("", "{", "[]", "{\"schemaVersion\":2,\"manifests\":[{}]}")) {
      Files.writeString(index, text);
      runImage(id).failsInOneLine(index + " is damaged: move it away");
      image("prune").failsInOneLine(index + " is damaged");
    }
    Files.delete(index);
    image("load", "--name", "app", source).succeeds();
    assertThat(Files.readAllBytes(index)).isEqualTo(names);
    Files.writeString(temp.resolve("store/oci-layout"), "x");
    image("list").failsInOneLine(temp + "/store/oci-layout says of no version");
  }

  /// So do runc and crun, which do not look at the files' owners.
  @Test
  void aBundleWithIdsOfAUserNamespaceRuns() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    image("load", "--name", "app", layout.directory().toString()).succeeds();
    Path to = temp.resolve("made");
    List<String> create =
        List.of("bundle", "create", "--store", store(), "--image", "app", "--uid-map");
    runtime(words(create, "0:100000:65536", "-u", "user", to.toString())).succeeds();
    Config made = Config.read(to.resolve("config.json"));
    for (String ids : List.of("uid", "gid")) {
      assertThat(made.at("/linux/" + ids + "Mappings").toString())
          .isEqualTo("[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]");
    }
    bundle = new Bundle(to);
    config = made.env("E2E_TAG=" + tag);
    config.args(
        "/bin/sh", "-c", "id; busybox stat -c %u:%g /d; read a b c < /proc/self/uid_map; echo $b");
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwx--x--x"));
    assertThat(run().succeeds().lines())
        .containsExactly(
            "uid=1000(user) gid=100(users) groups=7(extra),100(users)", "0:0", "100000");
    Path small = temp.resolve("small");
    runtime(words(create, "0:100000:10", small.toString()))
        .failsInOneLine("1000:100 is not mapped");
    assertThat(small).doesNotExist();
    // a group's number that is not mapped is not the terminals'
    runtime(words(create, "0:100000:5", "-u", "root", small.toString())).succeeds();
    assertThat(Config.read(small.resolve("config.json")).at("/mounts").toString())
        .contains("devpts")
        .doesNotContain("gid=5");
  }

  private static String[] words(List<String> first, String... more) {
    return Stream.concat(first.stream(), Stream.of(more)).toArray(String[]::new);
  }

  @Test
  void whatTheCallerSaysReplacesWhatTheImageSays() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    image("load", "--name", "app", layout.directory().toString()).succeeds();
    runtime(
            "bundle",
            "create",
            "--store",
            store(),
            "--image",
            "app",
            "-e",
            "A=c",
            "-e",
            "N=1",
            "-u",
            "5:users",
            "-w",
            "/tmp",
            "--read-only",
            temp + "/made",
            "-c",
            "true")
        .succeeds();
    Config made = Config.read(temp.resolve("made/config.json"));
    assertThat(made.at("/process/args").toString()).isEqualTo("[\"/bin/sh\",\"-c\",\"true\"]");
    assertThat(made.at("/process/env").toString()).contains("A=c", "N=1").doesNotContain("A=b");
    assertThat(made.at("/process/user/uid").asInt()).isEqualTo(5);
    assertThat(made.at("/process/user/gid").asInt()).isEqualTo(100);
    assertThat(made.at("/process/cwd").asString()).isEqualTo("/tmp");
    assertThat(made.at("/root/readonly").asBoolean()).isTrue();
    runtime(
            "bundle",
            "create",
            "--store",
            store(),
            "--image",
            "app",
            "-u",
            "nobody-knows",
            temp + "/none")
        .failsInOneLine("no user nobody-knows");
    assertThat(temp.resolve("none")).doesNotExist();
  }

  @Test
  void anImageOfOnePlatformIsNotTakenForAnother() {
    Path layout = ImageLayout.make(temp).directory();
    image("load", "--name", "app", layout.toString()).succeeds();
    String refused = "not for the platform linux/s390x";
    image("inspect", "--platform", "linux/s390x", "app").failsInOneLine(refused);
    runImage("--platform", "linux/s390x", newId()).failsInOneLine(refused);
    runtime("rootfs", "unpack", "--platform", "linux/s390x", layout.toString(), temp + "/to")
        .failsInOneLine(refused);
    assertThat(temp.resolve("to")).doesNotExist();
  }

  @Test
  void aFullDiskIsAClearErrorAndLeavesAWholeStore() throws IOException {
    Path layout = ImageLayout.make(temp).directory();
    Files.createDirectory(temp.resolve("store"));
    Command.of("mount", "-t", "tmpfs", "-o", "size=600k", "none", store()).run().succeeds();
    try (TinyRegistry registry = new TinyRegistry("")) {
      image("load", "--name", "app", layout.toString()).failsInOneLine("no space left on device");
      String name = registry.host() + "/r/app:1";
      String other = temp + "/other";
      runtime("image", "load", "--store", other, "--name", "app", layout.toString()).succeeds();
      runtime("image", "push", "-q", "--store", other, "--plain-http", "app", name).succeeds();
      image("pull", "-q", "--plain-http", name).failsInOneLine("no space left on device");
      assertThat(image("list", "-q").succeeds().out()).isEmpty();
      image("prune").succeeds();
      assertThat(temp.resolve("store/ingest")).isEmptyDirectory();
      Command.of("mount", "-o", "remount,size=3m", store()).run().succeeds();
      image("load", "--name", "app", layout.toString()).succeeds();
      image("verify").succeeds();
      // the blobs leave no room for what is in them
      assertThat(runImage("--snapshotter", "overlayfs", newId()).fails().err())
          .containsIgnoringCase("no space left");
      assertThat(temp.resolve("store/snapshots")).isEmptyDirectory();
      assertThat(temp.resolve("store/bundles")).isEmptyDirectory();
    } finally {
      Command.of("umount", store()).run().succeeds();
    }
  }

  @Test
  void aBundleRunsWithOtherRuntimes() throws IOException {
    image("load", "--name", "app", ImageLayout.make(temp).directory().toString()).succeeds();
    Files.writeString(Files.createDirectory(temp.resolve("shared")).resolve("f"), "host\n");
    Path bundle = temp.resolve("elsewhere");
    runtime(
            "bundle",
            "create",
            "--store",
            store(),
            "--image",
            "app",
            "-v",
            temp + "/shared:/v:ro",
            "--tmpfs",
            "/t",
            "--memory",
            "64m",
            "--cpus",
            "0.5",
            "--pids-limit",
            "30",
            "--cap-drop",
            "all",
            "--cap-add",
            "chown",
            "--hostname",
            "there",
            "-e",
            "E2E_TAG=" + tag,
            bundle.toString(),
            "-c",
            "id -u; id -G; cat /v/f /d/three; cat /proc/mounts | busybox grep -c ' /t tmpfs'; busybox hostname;"
                + " busybox grep CapBnd /proc/self/status")
        .succeeds();
    Machine.assumeInstalled("runc");
    for (String runtime : List.of("runc", RUNTIME.path().toString())) {
      assertThat(
              Command.of(
                      runtime,
                      "--root",
                      temp + "/state",
                      "run",
                      "--bundle",
                      bundle.toString(),
                      newId())
                  .run()
                  .succeeds()
                  .lines())
          .as(runtime)
          .containsExactly(
              "1000", "100 7", "host", "new", "1", "there", "CapBnd:\t0000000000000001");
    }
  }

  @Test
  void imagesOfBuildahRunInBothFormats() {
    Machine.assumeInstalled("buildah");
    Command.of(
            "bash",
            "-c",
            """
            set -e; cd "$0"
            B="buildah --root $0/graph --runroot $0/run --storage-driver vfs"
            c=$($B from scratch); mkdir t; cp /bin/busybox t/; echo built > t/f; $B copy $c t /app
            $B config --cmd '/app/busybox cat /app/f' --user 5:6 $c
            $B commit -q $c oci-archive:$0/oci.tar:img:1
            $B commit -q $c docker-archive:$0/docker.tar:img:1
            $B rm $c
            """,
            temp.toString())
        .run()
        .succeeds();
    for (String format : List.of("oci", "docker")) {
      image("load", "--name", format, temp + "/" + format + ".tar").succeeds();
      Outcome ran =
          runtime("run", "--image", format, "--store", store(), "-e", "E2E_TAG=" + tag, newId());
      assertThat(ran.succeeds().text()).as(format).isEqualTo("built");
    }
  }
}
