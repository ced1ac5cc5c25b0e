package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// What dies under containers: jrun's engine, containerd, both. No container, exit status or output
/// is lost.
class ShimDeathIT extends ContainerdTest {

  private void killEngine() {
    long pid = containerd.enginePid();
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    assertThat(EndToEnd.eventually(() -> !EndToEnd.runs(pid))).isTrue();
  }

  private void restartContainerd() {
    containerd.kill();
    try {
      containerd.start();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  @JrunOnly
  void containersRunOnWithoutTheEngine() {
    String id = sleeper();
    long pid = taskPid(id);
    killEngine();
    assertThat(status(id)).isEqualTo("RUNNING");
    assertThat(taskPid(id)).isEqualTo(pid);
    exec(id, "e", "sh", "-c", "exit 3").run().exits(3);
    killEngine();
    ctr("tasks", "kill", "--signal", "KILL", id).succeeds();
    awaitStatus(id, "STOPPED");
    killEngine();
    assertThat(ctr("tasks", "delete", id).succeeds().err()).contains("137");
  }

  @Test
  @JrunOnly
  void whoWaitsIsToldTheStatusAllTheSame() {
    String id = newId();
    Command.Running running = CtrIT.start(runSh(id, "echo begun; sleep 3; echo ended; exit 7"));
    assertThat(EndToEnd.eventually(() -> CtrIT.soFar(running).contains("begun"))).isTrue();
    killEngine();
    Outcome outcome = CtrIT.finish(running).exits(7);
    assertThat(outcome.out()).isEqualTo("begun\nended\n");
  }

  @Test
  @JrunOnly
  void noByteOfALongOutputIsLost() {
    String id = newId();
    Command.Running running =
        CtrIT.start(
            runSh(
                id,
                "i=0; while [ $i -lt 40 ]; do seq $((i*1000+1)) $((i*1000+1000)); sleep 0.05; i=$((i+1)); done"));
    for (int i = 0; i < 3; i++) {
      EndToEnd.pause(500);
      killEngine();
    }
    StringBuilder expected = new StringBuilder();
    for (int i = 1; i <= 40_000; i++) expected.append(i).append('\n');
    assertThat(CtrIT.finish(running).succeeds().out().equals(expected.toString())).isTrue();
  }

  @Test
  @JrunOnly
  void anUpgradeIsNotNoticed() {
    String id = sleeper();
    Command.Running exec = CtrIT.start(exec(id, "e", "sh", "-c", "sleep 2; echo done; exit 5"));
    long before = containerd.enginePid();
    containerd.jrun("engine", "restart").run().succeeds();
    assertThat(containerd.enginePid()).isNotEqualTo(before);
    assertThat(status(id)).isEqualTo("RUNNING");
    assertThat(CtrIT.finish(exec).exits(5).out()).isEqualTo("done\n");
  }

  @Test
  void containerdComesBack() {
    String id = sleeper();
    long pid = taskPid(id);
    restartContainerd();
    assertThat(status(id)).isEqualTo("RUNNING");
    assertThat(taskPid(id)).isEqualTo(pid);
    exec(id, "e", "sh", "-c", "exit 3").run().exits(3);
    ctr("tasks", "kill", "--signal", "KILL", id).succeeds();
    awaitStatus(id, "STOPPED");
    assertThat(ctr("tasks", "delete", id).succeeds().err()).contains("137");
  }

  @Test
  void whatEndsWhileContainerdIsAwayIsKnownAfterwards() {
    String id = newId();
    run(
            List.of("--detach", "--null-io"),
            id,
            "sh",
            "-c",
            "until test -e /tmp/go; do sleep 0.1; done; exit 9")
        .run()
        .succeeds();
    long pid = taskPid(id);
    containerd.kill();
    goOn(pid);
    assertThat(EndToEnd.eventually(() -> !EndToEnd.runs(pid))).isTrue();
    try {
      containerd.start();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    awaitStatus(id, "STOPPED");
    assertThat(ctr("tasks", "delete", id).succeeds().err()).contains("exit code 9");
  }

  private static void goOn(long pid) {
    try {
      Files.createFile(Path.of("/proc/" + pid + "/root/tmp/go"));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  @JrunOnly
  void bothDieAtOnce() {
    String id = newId();
    run(
            List.of("--detach", "--null-io"),
            id,
            "sh",
            "-c",
            "until test -e /tmp/go; do sleep 0.1; done; exit 9")
        .run()
        .succeeds();
    String other = sleeper();
    long pid = taskPid(id);
    long engine = containerd.enginePid();
    containerd.kill();
    ProcessHandle.of(engine).ifPresent(ProcessHandle::destroyForcibly);
    goOn(pid);
    assertThat(EndToEnd.eventually(() -> !EndToEnd.runs(pid))).isTrue();
    try {
      containerd.start();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    awaitStatus(id, "STOPPED");
    assertThat(status(other)).isEqualTo("RUNNING");
    assertThat(ctr("tasks", "delete", id).succeeds().err()).contains("exit code 9");
  }

  @Test
  @JrunOnly
  void aTerminalOutlivesTheEngine() {
    String id = newId();
    CtrStdioIT.onTerminal(
            run(List.of("--rm", "--tty"), id, "sh"),
            """
            [["expect","# "],["send","echo a''b\\n"],["expect","ab"],
             ["run","kill","-9","%d"],
             ["send","echo c''d\\n"],["expect","cd"],["resize",33,77],
             ["send","until stty size | grep -q 77; do sleep 0.1; done; echo e''f; exit 6\\n"],["expect","ef"]]\
            """
                .formatted(containerd.enginePid()))
        .exits(6);
  }

  /// The engine is killed again and again while containers come and go: each ends with its own
  /// status, and nothing stays. It is left alive until something has ended, so that it gets on.
  @Test
  @JrunOnly
  void theEngineDiesInTheMiddleOfEverything() throws InterruptedException {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    AtomicInteger ended = new AtomicInteger();
    int count = 24;
    Thread killer = Thread.ofPlatform().start(() -> killAgainAndAgain(random, ended, count));
    Deque<Command.Running> running = new ArrayDeque<>();
    try {
      for (int i = 0; i < count; i++) {
        running.add(CtrIT.start(runSh(newId(), "echo out-" + i + "; exit " + (i + 1))));
        if (running.size() == 4 || i == count - 1) {
          while (!running.isEmpty()) {
            int number = ended.get();
            Outcome outcome = CtrIT.finish(running.remove()).exits(number + 1);
            assertThat(outcome.text()).isEqualTo("out-" + number);
            ended.incrementAndGet();
          }
        }
      }
    } finally {
      ended.set(count);
      killer.join();
    }
  }

  private void killAgainAndAgain(Random random, AtomicInteger ended, int count) {
    while (ended.get() < count) {
      int before = ended.get();
      EndToEnd.pause(random.nextInt(400));
      Outcome status = containerd.jrun("engine", "status", "--format", "json").run();
      if (status.status() == 0)
        ProcessHandle.of(Config.json(status.out()).at("/pid").asLong())
            .ifPresent(ProcessHandle::destroyForcibly);
      while (ended.get() == before) EndToEnd.pause(10);
    }
  }
}
