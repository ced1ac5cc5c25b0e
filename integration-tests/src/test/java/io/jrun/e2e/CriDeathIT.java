package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/// What dies under pods, and while the kubelet's calls are under way: jrun's engine, which nobody
/// notices; containerd, whose caller repeats the call; both. Each call is interrupted at moments
/// spread over the time that it takes, `-Djrun.rounds` times: once in an emulated machine.
@JrunOnly
class CriDeathIT extends CriTest {
  private static final int ROUNDS =
      Integer.getInteger("jrun.rounds", Math.max(1, 2 / Command.PATIENCE));

  enum Victim {
    ENGINE,
    CONTAINERD,
    BOTH;

    boolean hasContainerd() {
      return this != ENGINE;
    }

    boolean hasEngine() {
      return this != CONTAINERD;
    }
  }

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private boolean containerdDied;

  @BeforeAll
  void tellTheSeed() {
    System.out.println("seed " + seed);
  }

  /// A containerd that died has forgotten what it had not written down, such as the directory of a
  /// task that was about to be made; its next start finds that, once the pod's shim is gone.
  @AfterEach
  void containerdLooksAgain() throws IOException {
    if (!containerdDied) return;
    removeAll();
    removeForgottenNetworks();
    die(Victim.CONTAINERD);
    containerdDied = false;
    // a pod that nobody shuts down ends by itself 15 s after its engine came; each of these waits
    // 10 s
    for (int i = 0; i < 3 && !nothingRests(); i++) EndToEnd.eventually(this::nothingRests);
  }

  /// Network namespaces that containerd had made for a pod and died before it wrote the pod down:
  /// it removes them with their pod only, whatever the runtime.
  private void removeForgottenNetworks() throws IOException {
    Path names = containerd.temp().resolve("state/io.containerd.grpc.v1.cri/netns");
    if (!Files.isDirectory(names)) return;
    try (Stream<Path> all = Files.list(names)) {
      for (Path name : all.toList()) {
        Command.of("umount", name.toString()).run();
        Files.delete(name);
      }
    }
  }

  private void kill(Victim victim, long engine) {
    if (victim.hasEngine()) ProcessHandle.of(engine).ifPresent(ProcessHandle::destroyForcibly);
    if (!victim.hasContainerd()) return;
    containerdDied = true;
    containerd.kill();
  }

  private void comeBack(Victim victim) {
    startAgain(victim);
    reconnect(victim);
  }

  private void startAgain(Victim victim) {
    if (!victim.hasContainerd()) return;
    try {
      containerd.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void reconnect(Victim victim) {
    if (!victim.hasContainerd()) return;
    disconnect();
    connect();
  }

  private void die(Victim victim) {
    kill(victim, containerd.enginePid());
    comeBack(victim);
  }

  /// Whether the call was answered in spite of all.
  private boolean interrupt(Victim victim, long usualMicros, Runnable call) {
    long engine = containerd.enginePid();
    long micros = random.nextLong(usualMicros * 5 / 4 + 1);
    CompletableFuture<Void> answer = CompletableFuture.runAsync(call);
    try {
      TimeUnit.MICROSECONDS.sleep(micros);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    kill(victim, engine);
    startAgain(victim);
    boolean answered = answered(victim, answer, micros);
    reconnect(victim);
    return answered;
  }

  private static boolean answered(Victim victim, CompletableFuture<Void> answer, long micros) {
    try {
      answer.join();
      return true;
    } catch (CompletionException e) {
      if (victim.hasContainerd() && isOfDeath(e.getCause())) return false;
      throw new AssertionError(victim + " killed after " + micros + " us", e);
    }
  }

  /// The connection broke, or a call that was not sent yet came to a containerd that starts.
  private static boolean isOfDeath(@Nullable Throwable failure) {
    return failure instanceof StatusRuntimeException e
        && (e.getStatus().getCode() == Status.Code.UNAVAILABLE
            || String.valueOf(e.getMessage()).contains("channel closed") // while it was being made
            // said by a containerd that has just come back of a task that was being deleted
            || String.valueOf(e.getMessage()).contains("ttrpc: closed")
            || String.valueOf(e.getMessage()).contains("server is not initialized yet"));
  }

  private static long micros(Runnable call) {
    long begun = System.nanoTime();
    call.run();
    return (System.nanoTime() - begun) / 1000;
  }

  private static String state(Container container) {
    return container.status().get("state").asString();
  }

  private static void runs(Pod pod, Container container) {
    assertThat(pod.status().get("state").asString()).isEqualTo("SANDBOX_READY");
    assertThat(state(container)).isEqualTo("CONTAINER_RUNNING");
  }

  @ParameterizedTest
  @EnumSource
  void podsRunOn(Victim victim) {
    Pod pod = run(podConfig());
    Container one = pod.start("one", "sleep", "1000");
    Container two = pod.start("two", "sh", "-c", "until test -e /go; do sleep 0.1; done; exit 7");
    long pid = pod.pid();
    String before = one.sh("cut -d' ' -f22 /proc/1/stat");
    die(victim);
    runs(pod, one);
    runs(pod, two);
    assertThat(pod.pid()).isEqualTo(pid);
    assertThat(one.sh("cut -d' ' -f22 /proc/1/stat")).as("its start time").isEqualTo(before);
    two.sh("touch /go");
    two.awaitExit();
    assertThat(two.status().get("exit_code").asInt()).isEqualTo(7);
    pod.start("three", "sleep", "1000").sh("true");
  }

  @ParameterizedTest
  @EnumSource
  void whatEndsMeanwhileIsKnown(Victim victim) throws IOException {
    Pod pod = run(podConfig());
    Container one = pod.start("one", "sh", "-c", "until test -e /go; do sleep 0.1; done; exit 9");
    long pid = one.pid();
    kill(victim, containerd.enginePid());
    Files.createFile(Path.of("/proc/" + pid + "/root/go"));
    assertThat(EndToEnd.eventually(() -> !EndToEnd.runs(pid))).isTrue();
    comeBack(victim);
    one.awaitExit();
    assertThat(one.status().get("exit_code").asInt()).isEqualTo(9);
    assertThat(pod.status().get("state").asString()).isEqualTo("SANDBOX_READY");
  }

  @Test
  void anUpgradeIsNotNoticed() throws IOException {
    Pod pod = run(podConfig());
    Container talker =
        pod.start(
            pod.containerConfig("talker", "sh", "-c", "while read x; do echo heard-$x; done")
                .set("/stdin", "true"));
    Container other =
        pod.start("other", "sh", "-c", "until test -e /go; do sleep 0.1; done; exit 3");
    CompletableFuture<Outcome> probe =
        CompletableFuture.supplyAsync(() ->
            other.exec(
                "sh",
                "-c",
                "touch /probed; until test -e /on; do sleep 0.1; done; echo on; exit 4"));
    assertThat(EndToEnd.eventually(() -> other.exec("test", "-e", "/probed").status() == 0))
        .isTrue();
    String attach = "{container_id:'%s',stdin:true,stdout:true,stderr:true}".formatted(talker.id);
    try (WebSocketStream stream =
        new WebSocketStream(containerd, cri.call("Attach", attach).get("url").asString())) {
      stream.send(WebSocketStream.STDIN, "one\n");
      stream.until(WebSocketStream.STDOUT, "heard-one");
      long before = containerd.enginePid();
      containerd.jrun("engine", "restart").run().succeeds();
      assertThat(containerd.enginePid()).isNotEqualTo(before);
      stream.send(WebSocketStream.STDIN, "two\n");
      assertThat(stream.until(WebSocketStream.STDOUT, "heard-two"))
          .isEqualTo("heard-one\nheard-two\n");
    }
    other.sh("touch /on");
    assertThat(probe.join().exits(4).text()).isEqualTo("on");
    other.sh("touch /go");
    other.awaitExit();
    assertThat(other.status().get("exit_code").asInt()).isEqualTo(3);
    assertThat(talker.logLines()).containsExactly("stdout F heard-one", "stdout F heard-two");
  }

  @ParameterizedTest
  @EnumSource
  void whilePodsAreMade(Victim victim) {
    Config first = podConfig();
    long usual = micros(() -> run(first));
    for (int i = 0; i < ROUNDS; i++) {
      Config config = podConfig();
      List<Pod> made = new ArrayList<>();
      if (!interrupt(victim, usual, () -> made.add(run(config)))) {
        removeAll(); // as the kubelet does with one that is not ready, if containerd knows it
        config.set("/metadata/attempt", "1");
        made.add(again(() -> run(config)));
      }
      Pod pod = made.getFirst();
      runs(pod, pod.start("c", "sleep", "1000"));
      removePod(pod.id);
    }
  }

  private void removeAll() {
    for (JsonNode item : cri.call("ListPodSandbox", "{}").at("/items"))
      removePod(item.get("id").asString());
  }

  @ParameterizedTest
  @EnumSource
  void whileContainersAreCreated(Victim victim) {
    Pod pod = run(podConfig());
    long usual = micros(() -> pod.create(pod.containerConfig("usual", "sleep", "1000")));
    for (int i = 0; i < ROUNDS; i++) {
      Config config = pod.containerConfig("c" + i, "sleep", "1000");
      List<Container> made = new ArrayList<>();
      if (!interrupt(victim, usual, () -> made.add(pod.create(config))))
        made.add(createAgain(pod, config.set("/metadata/attempt", "1")));
      runs(pod, made.getFirst().start());
      made.getFirst().sh("true");
    }
  }

  private static Container createAgain(Pod pod, Config config) {
    return again(() -> pod.create(config));
  }

  /// A snapshotter that died between a directory's name and its own books finds the name taken
  /// until it has tidied up; the kubelet asks again and again.
  private static <T> T again(Supplier<T> request) {
    List<T> made = new ArrayList<>();
    EndToEnd.eventually(() -> {
      try {
        return made.add(request.get());
      } catch (StatusRuntimeException e) {
        if (String.valueOf(e.getMessage()).contains("failed to rename")) return false;
        throw e;
      }
    });
    return made.getFirst();
  }

  @ParameterizedTest
  @EnumSource
  void whileContainersAreStarted(Victim victim) {
    Pod pod = run(podConfig());
    Container first = pod.create(pod.containerConfig("usual", "sleep", "1000"));
    long usual = micros(first::start);
    for (int i = 0; i < ROUNDS; i++) {
      String name = "c" + i;
      Config config = pod.containerConfig(name, "sh", "-c", "echo begun; exec sleep 1000");
      Container container = pod.create(config);
      if (!interrupt(victim, usual, container::start)
          && !state(container).equals("CONTAINER_RUNNING")) {
        container.remove();
        container = pod.start(config.set("/metadata/attempt", "1"));
      }
      runs(pod, container);
      container.sh("true");
      if (victim == Victim.ENGINE) {
        Container told = container;
        EndToEnd.eventually(() -> !told.logLines().isEmpty());
        assertThat(container.logLines()).as("begun once").containsExactly("stdout F begun");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whileProbesRun(Victim victim) {
    Pod pod = run(podConfig());
    Container container = pod.start("probed", "sleep", "1000");
    String script = "echo x >> /count-%s; sleep 0.1; echo out; exit 5";
    long usual = micros(() -> container.exec("sh", "-c", script.formatted("first")));
    for (int i = 0; i < ROUNDS; i++) {
      String[] words = {"sh", "-c", script.formatted(i)};
      List<Outcome> outcome = new ArrayList<>();
      boolean answered = interrupt(victim, usual, () -> outcome.add(container.exec(words)));
      if (answered) assertThat(outcome.getFirst().exits(5).out()).isEqualTo("out\n");
      runs(pod, container);
      String count = container.exec("cat", "/count-" + i).out().strip();
      assertThat(count).as("how often it ran").isIn(answered ? List.of("x") : List.of("", "x"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void whileContainersAreStopped(Victim victim) {
    Pod pod = run(podConfig());
    String[] words = {
      "sh", "-c", "trap 'sleep 0.1; exit 6' TERM; touch /ready; while :; do sleep 0.01; done"
    };
    Container first = ready(pod.start("usual", words));
    long usual = micros(() -> first.stop(30));
    for (int i = 0; i < ROUNDS; i++) {
      Container container = ready(pod.start("c" + i, words));
      if (!interrupt(victim, usual, () -> container.stop(30))) container.stop(30);
      container.awaitExit();
      // containerd deletes a task before it writes down the status, which it then calls unknown
      List<Integer> known = victim.hasContainerd() ? List.of(6, 255) : List.of(6);
      assertThat(container.status().get("exit_code").asInt()).isIn(known);
      container.remove();
    }
  }

  private static Container ready(Container container) {
    assertThat(EndToEnd.eventually(() -> container.exec("test", "-e", "/ready").status() == 0))
        .isTrue();
    return container;
  }

  @ParameterizedTest
  @EnumSource
  void whilePodsAreRemoved(Victim victim) {
    Pod first = run(podConfig());
    first.start("c", "sleep", "1000");
    long usual = micros(() -> removePod(first.id));
    for (int i = 0; i < ROUNDS; i++) {
      Pod pod = run(podConfig());
      pod.start("one", "sleep", "1000");
      pod.start("two", "true");
      if (!interrupt(victim, usual, () -> removePod(pod.id))) removeAll();
      assertThat(cri.call("ListPodSandbox", "{}").at("/items")).isEmpty();
    }
  }
}
