package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Root file systems that the shim is to mount, as containerd's snapshotters describe them.
class ShimRootfsIT extends ShimTest {
  private static final int UID = 300_000;
  private static final int GID = 400_000;
  private static final List<String> MAPS =
      List.of("uidmap=0:300000:65536", "gidmap=0:400000:65536");

  private Path base;
  private Path out;

  /// The root file system becomes a layer; the bundle has an empty directory in its place.
  @BeforeEach
  void make() throws IOException {
    base = sandbox.top().resolve("layers/base");
    out = sandbox.top().resolve("out");
    Files.createDirectories(base.getParent());
    Files.move(sandbox.bundle().resolve("rootfs"), base);
    Files.createDirectory(sandbox.bundle().resolve("rootfs"));
  }

  private void start(String script, boolean hasUsers) throws IOException {
    sandbox.config(text -> {
      String config =
          text.replace("[\"sleep\",\"1000\"]", "[\"sh\",\"-c\",\"" + script + "\"]")
              .replace("\"readonly\":true", "\"readonly\":false");
      if (!hasUsers) return config;
      return config
          .replace("\"namespaces\":[", "\"namespaces\":[{\"type\":\"user\"},")
          .replace(
              "\"linux\":{",
              """
              "linux":{"uidMappings":[{"containerID":0,"hostID":%d,"size":65536}],
                "gidMappings":[{"containerID":0,"hostID":%d,"size":65536}],\
              """
                  .formatted(UID, GID));
    });
    shim();
  }

  private ProtoWriter request(String type, String source, List<String> options) {
    ProtoWriter mount = new ProtoWriter().string(1, type).string(2, source);
    for (String option : options) mount.string(4, option);
    return pod.createRequest("", "file://" + out, "", false).message(3, mount);
  }

  /// Runs what [#start] was given to its end; what it said.
  private String run(String type, String source, List<String> options) throws IOException {
    pod.ok("Create", request(type, source, options));
    pod.ok("Start", pod.request());
    int status = pod.ok("Wait", pod.request()).int32(1);
    String text = Files.readString(out);
    assertThat(status).as(text).isZero();
    pod.finish();
    assertThat(sandbox.bundle().resolve("rootfs")).isEmptyDirectory();
    return text;
  }

  private Path directory(String name, int uid, int gid) throws IOException {
    Path directory = Files.createDirectories(sandbox.top().resolve(name));
    own(directory, uid, gid);
    return directory;
  }

  private static void own(Path path, int uid, int gid) throws IOException {
    Files.setAttribute(path, "unix:uid", uid);
    Files.setAttribute(path, "unix:gid", gid);
  }

  private List<String> overlay(String lower, int uid, int gid) throws IOException {
    return List.of(
        "index=off",
        "workdir=" + directory("upper/work", uid, gid),
        "upperdir=" + directory("upper/fs", uid, gid),
        "lowerdir=" + lower);
  }

  private static List<String> and(List<String> some, List<String> others) {
    List<String> all = new ArrayList<>(some);
    all.addAll(others);
    return all;
  }

  @Test
  void aBindIsMountedAndUnmounted() throws IOException {
    start("echo here", false);
    assertThat(run("bind", base.toString(), List.of("rbind", "rw"))).isEqualTo("here\n");
  }

  @Test
  void layersThatLieDeepAndAreManyAreStacked() throws IOException {
    StringBuilder lower = new StringBuilder();
    for (int i = 0; i < 100; i++) {
      Path layer = directory("layers/that-lie-deep/in-a-long/directory/" + i, 0, 0);
      Files.writeString(layer.resolve("file"), "of " + i + "\n");
      Files.writeString(layer.resolve("only-" + i), "x\n");
      lower.append(layer).append(':');
    }
    start("cat /file; ls /only-* | cat; : > /made", false);
    assertThat(run("overlay", "overlay", overlay(lower + base.toString(), 0, 0)))
        .startsWith("of 0\n")
        .contains("/only-0\n", "/only-99\n");
    assertThat(sandbox.top().resolve("upper/fs/made")).exists();
  }

  @Test
  void anOverlaysLayersAreMapped() throws IOException {
    Path layer = directory("layers/another", 0, 0);
    Path theirs = Files.writeString(layer.resolve("of-a-user"), "x");
    Files.setPosixFilePermissions(theirs, PosixFilePermissions.fromString("rw-rw-rw-"));
    own(theirs, 1000, 2000);
    start("ls -n /bin/busybox /of-a-user; echo changed > /of-a-user; : > /made", true);
    String said =
        run("overlay", "overlay", and(MAPS, overlay(layer + ":" + base, UID, GID)))
            .replaceAll(" +", " ");
    assertThat(said).contains(" 1 0 0 ", " 1 1000 2000 ");
    assertThat(Files.readString(theirs)).isEqualTo("x");
    Path upper = sandbox.top().resolve("upper/fs");
    assertThat(Files.readAttributes(upper.resolve("made"), "unix:uid,gid"))
        .isEqualTo(Map.of("uid", UID, "gid", GID));
    assertThat(Files.readAttributes(upper.resolve("of-a-user"), "unix:uid,gid"))
        .isEqualTo(Map.of("uid", UID + 1000, "gid", GID + 2000));
  }

  @Test
  void aBindIsMapped() throws IOException {
    start("ls -n /bin/busybox; : > /made", true);
    String said = run("bind", base.toString(), and(List.of("rbind", "rw"), MAPS));
    assertThat(said.replaceAll(" +", " ")).contains(" 1 0 0 ");
    assertThat(Files.getAttribute(base.resolve("made"), "unix:uid")).isEqualTo(0);
  }

  @Test
  void aBindThatIsMappedMayBeReadOnly() throws IOException {
    start("ls -n /bin/busybox; ! echo x > /made", true);
    String said = run("bind", base.toString(), and(List.of("rbind", "ro"), MAPS));
    assertThat(said.replaceAll(" +", " ")).contains(" 1 0 0 ");
    assertThat(base.resolve("made")).doesNotExist();
  }

  /// What an image has in its place must not lead a mount out of the root file system.
  @Test
  void aMountBelowTheRootIsBelowItWhateverLinksThereAre() throws IOException {
    Path outside = directory("outside", 0, 0);
    Files.createDirectories(Path.of(base + outside.toString()));
    Files.createSymbolicLink(base.resolve("link"), outside);
    start("busybox grep ' / " + outside + " .* tmpfs ' /proc/self/mountinfo", false);
    ProtoWriter tmpfs = new ProtoWriter().string(1, "tmpfs").string(2, "tmpfs").string(3, "link");
    pod.ok("Create", request("bind", base.toString(), List.of("rbind")).message(3, tmpfs));
    assertThat(Files.getFileStore(outside)).isEqualTo(Files.getFileStore(sandbox.top()));
    pod.ok("Start", pod.request());
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isZero();
    pod.finish();
    assertThat(sandbox.bundle().resolve("rootfs")).isEmptyDirectory();
  }

  /// The root file system as an image, as containerd's blockfile snapshotter has them.
  private Path image() throws IOException {
    return LoopDevices.image(base, sandbox.top().resolve("image"));
  }

  @Test
  void anImageIsMountedThroughALoopDevice() throws IOException {
    Path image = image();
    start("echo here; busybox seq 100000 > /made; busybox sync", false);
    assertThat(run("ext4", image.toString(), List.of("rw", "loop"))).isEqualTo("here\n");
    start("busybox tail -n 1 /made", false);
    assertThat(run("ext4", image.toString(), List.of("ro", "loop"))).endsWith("100000\n");
  }

  @Test
  void aLoopDeviceIsReadOnlyAndDirectWhereTheMountIs() throws IOException {
    Path image = image();
    start("! echo x > /made", false);
    pod.ok("Create", request("ext4", image.toString(), List.of("ro", "loop", "direct-io")));
    Path device = LoopDevices.behind(sandbox.top()).getFirst();
    assertThat(device.resolve("loop/backing_file")).hasContent(image.toString());
    for (String flag : List.of("ro", "loop/autoclear", "loop/dio"))
      assertThat(device.resolve(flag)).as(flag).hasContent("1");
    pod.ok("Start", pod.request());
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isZero();
    pod.finish();
  }

  @Test
  void aFileBehindALoopDeviceIsMapped() throws IOException {
    Path image = image();
    start("ls -n /bin/busybox; : > /made; ls -n /made", true);
    String said = run("ext4", image.toString(), and(List.of("rw", "loop"), MAPS));
    assertThat(said.replaceAll(" +", " ").lines()).allMatch(line -> line.contains(" 1 0 0 "));
  }

  /// The kernel tells both which device is free, and then one of them has it.
  @Test
  void anotherMayTakeTheLoopDeviceFirst() throws Exception {
    Path image = image();
    start("echo here", false);
    CompletableFuture<TtrpcResponse> create;
    try (LoopDevices.Claim claim = LoopDevices.claimFree()) {
      create = pod.send("Create", request("ext4", image.toString(), List.of("loop")));
      Thread.sleep(300);
      assertThat(create).isNotDone();
      assertThat(claim.device().resolve("loop")).doesNotExist();
    }
    ShimPod.ok("Create", TtrpcClient.await(create));
    pod.ok("Kill", pod.request().uint32(3, 9));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  @Test
  void whatIsNoImageIsRefusedAndNoLoopDeviceIsLeft() throws IOException {
    Path empty = Files.write(sandbox.top().resolve("empty"), new byte[1 << 20]);
    start("true", false);
    List<String> loop = List.of("loop");
    assertThat(pod.call("Create", request("ext4", empty.toString(), loop)).message())
        .contains("mount(\"/dev/loop", "EINVAL");
    assertThat(pod.call("Create", request("ext4", empty + "-not", loop)).message())
        .contains(empty + "-not", "ENOENT");
    pod.shutDown();
  }

  @Test
  void whatCannotBeMappedIsRefusedAndNothingIsLeft() throws IOException {
    start("true", false);
    String lower = "lowerdir=" + base;
    for (Map.Entry<List<String>, String> wrong :
        Map.of(
                List.of("uidmap=0:1:2", lower),
                "uidmap and gidmap are needed together",
                List.of("uidmap=0:1", "gidmap=0:1:2", lower),
                "not CONTAINER:HOST:SIZE",
                List.of("uidmap=0:1:2", "gidmap=0:1:2"),
                "without lowerdir",
                List.of("uidmap=0:1:2", "gidmap=0:1:2", "lowerdir=/bin:/etc"),
                "no directory in common",
                List.of("uidmap=0:1:2", "gidmap=0:1:2", lower, "no-such-option"),
                "EINVAL")
            .entrySet()) {
      TtrpcResponse response = pod.call("Create", request("overlay", "overlay", wrong.getKey()));
      assertThat(response.message()).contains(wrong.getValue());
      assertThat(sandbox.bundle().resolve("rootfs")).isEmptyDirectory();
    }
    pod.shutDown();
  }
}
