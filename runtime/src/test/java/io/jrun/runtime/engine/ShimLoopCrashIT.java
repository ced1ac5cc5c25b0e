package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The engine killed between its calls while it serves a task whose root file system is behind a
/// loop device: it is mounted once, and no device is left. `-Djrun.crash.every=1` dies at each call
/// instead of some.
class ShimLoopCrashIT extends ShimCrashSweep {
  private static final int EVERY = Integer.getInteger("jrun.crash.every", 23);

  private Path image() {
    return sandbox.top().resolve("image");
  }

  @Override
  void configure() throws IOException {
    sandbox.config(text -> text.replace("[\"sleep\",\"1000\"]", "[\"sh\",\"-c\",\"exit 7\"]"));
    Path rootfs = sandbox.bundle().resolve("rootfs");
    LoopDevices.image(rootfs, image());
    Files.move(rootfs, sandbox.top().resolve("base"));
    Files.createDirectory(rootfs);
  }

  @Override
  List<Path> logs() {
    return List.of();
  }

  @Override
  List<String> live(ShimPod pod) throws IOException {
    List<String> told = new ArrayList<>();
    ProtoWriter mount =
        new ProtoWriter().string(1, "ext4").string(2, image().toString()).string(4, "loop");
    pod.ok("Create", pod.createRequest("", "", "", false).message(3, mount));
    told.add("mounts: " + mounts());
    pod.ok("Start", pod.request());
    told.add("task: " + pod.ok("Wait", pod.request()).int32(1));
    pod.ok("Delete", pod.request());
    return told;
  }

  private long mounts() throws IOException {
    return Files.readString(Path.of("/proc/self/mountinfo"))
        .lines()
        .filter(line -> line.contains(sandbox.top() + "/") && line.contains(" - ext4 /dev/loop"))
        .count();
  }

  @Test
  void oneMountAndNothingAfterwardsWhereverTheEngineDies() throws Exception {
    List<String> whole = undisturbed();
    assertThat(whole).contains("mounts: 1", "task: 7", "left: []");
    sweep(EVERY, whole, 5);
  }
}
