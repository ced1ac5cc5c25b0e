package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// containerd's blockfile snapshotter, whose root file systems the shim mounts through loop
/// devices.
class CtrBlockfileIT extends ContainerdTest {
  private static final List<String> ON_BLOCKS = List.of("--rm", "--snapshotter", "blockfile");

  @BeforeEach
  void needsTheSnapshotter() {
    assumeTrue(
        ContainerdRelease.underTest().hasBlockfile(),
        "containerd 1.6 has no blockfile snapshotter: see ShimRootfsIT, and -Djrun.containerd");
  }

  @AfterEach
  void noLoopDeviceIsLeft() {
    assertThat(EndToEnd.eventually(() -> kept().isEmpty())).as(kept().toString()).isTrue();
  }

  /// The loop devices of this containerd's files that would not go by themselves: the kernel is not
  /// to clear them, or a process has them open.
  private List<String> kept() {
    String script =
        """
        for device in /sys/block/loop*; do
          grep -qs "^$0/" $device/loop/backing_file || continue
          node=/dev/${device##*/}
          if grep -qs 0 $device/loop/autoclear || ls -l /proc/[0-9]*/fd 2>&1 | grep -q "-> $node$"; then echo $node; fi
        done
        """;
    return Command.of("sh", "-c", script, containerd.temp().toString()).run().lines();
  }

  private Command onBlocks(String script, String... flags) {
    List<String> all = new ArrayList<>(ON_BLOCKS);
    all.addAll(List.of(flags));
    return run(all, newId(), "sh", "-c", script);
  }

  @Test
  void theRootIsAnImageOfItsOwn() {
    String script = "grep ' / / ' /proc/self/mountinfo; echo kept > /file; cat /file";
    assertThat(onBlocks(script).run().succeeds().lines())
        .satisfiesExactly(
            mount -> assertThat(mount).contains(" rw,", " - ext4 /dev/loop"),
            file -> assertThat(file).isEqualTo("kept"));
  }

  @Test
  void theRootMayBeReadOnly() {
    assertThat(onBlocks("echo x > /file", "--read-only").run().fails().err())
        .contains("Read-only file system");
  }

  @Test
  void manyAtOnceHaveADeviceEach() {
    Deque<Command.Running> running = new ArrayDeque<>();
    for (int i = 0; i < 12; i++) running.add(CtrIT.start(onBlocks("echo " + i + "; exit " + i)));
    for (int i = 0; !running.isEmpty(); i++)
      assertThat(CtrIT.finish(running.remove()).exits(i).text()).isEqualTo("" + i);
  }

  @Test
  @JrunOnly
  void theRootOutlivesTheEngine() {
    Command.Running running =
        CtrIT.start(onBlocks("echo begun; sleep 3; echo x > /file; cat /file; exit 7"));
    assertThat(EndToEnd.eventually(() -> CtrIT.soFar(running).contains("begun"))).isTrue();
    ProcessHandle.of(containerd.enginePid()).ifPresent(ProcessHandle::destroyForcibly);
    assertThat(CtrIT.finish(running).exits(7).out()).isEqualTo("begun\nx\n");
  }
}
