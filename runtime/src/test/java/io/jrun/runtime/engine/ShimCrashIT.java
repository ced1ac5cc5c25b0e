package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The engine killed between its calls while it serves a task from its creation to its end: no
/// answer differs, nothing is done twice, no event is lost, doubled or out of order, and nothing is
/// left. `-Djrun.crash.every=1` dies at each call instead of some.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ShimCrashIT {
  private static final int EVERY = Integer.getInteger("jrun.crash.every", 31);
  private static final int MOST = 3000;
  private static final int SIGKILL = 9;

  private Sandbox sandbox;
  private CrashingInstallation installation;

  @BeforeAll
  void install() throws IOException {
    sandbox = new Sandbox();
    sandbox.config(text ->
        text.replace("[\"sleep\",\"1000\"]", "[\"sh\",\"-c\",\"echo begin; exec sleep 1000\"]"));
    installation = new CrashingInstallation(sandbox);
  }

  @AfterAll
  void end() throws IOException {
    if (installation != null) installation.close();
    if (sandbox != null) sandbox.close();
  }

  private static String log(Path file) throws IOException {
    String text = Files.exists(file) ? Files.readString(file) : "";
    Files.deleteIfExists(file);
    return text;
  }

  /// A task's life, seen from containerd: all that it was told.
  private List<String> live(String id) throws Exception {
    Path out = sandbox.top().resolve("task.log");
    Path execOut = sandbox.top().resolve("exec.log");
    List<String> told = new ArrayList<>();
    try (EventSink sink = new EventSink(ShimPod.events(sandbox.top()));
        ShimPod pod = new ShimPod(installation.shim(), sandbox.bundle(), sandbox.top(), id)) {
      int pid = pod.ok("Create", pod.createRequest("", "file://" + out, "", false)).int32(1);
      CompletableFuture<TtrpcResponse> wait = pod.send("Wait", pod.request());
      told.add("pids equal: " + (pod.ok("Start", pod.request()).int32(1) == pid && pid > 0));
      pod.ok("Exec", pod.execRequest("e", "file://" + execOut, "sh", "-c", "echo ran; exit 7"));
      told.add("exec pid: " + (pod.ok("Start", pod.request().string(2, "e")).int32(1) > 0));
      told.add("exec: " + pod.ok("Wait", pod.request().string(2, "e")).int32(1));
      told.add("exec deleted: " + pod.ok("Delete", pod.request().string(2, "e")).int32(2));
      pod.ok("Pause", pod.request());
      pod.ok("Resume", pod.request());
      pod.ok("Kill", pod.request().uint32(3, SIGKILL));
      ProtoMessage exit = ShimPod.ok("Wait", TtrpcClient.await(wait));
      told.add("task: " + exit.int32(1));
      ProtoMessage deleted = pod.ok("Delete", pod.request());
      told.add("deleted: " + deleted.int32(2) + " " + (deleted.int32(1) == pid));
      told.add("same time: " + deleted.timestamp(3).equals(exit.timestamp(2)));
      pod.shutDown();
      told.addAll(sink.events());
      told.add("broken: " + pod.client().isBroken());
    }
    told.add("out: " + log(out));
    told.add("exec out: " + log(execOut));
    told.add("left: " + sandbox.leftSoon(id));
    return told;
  }

  @Test
  void nothingIsLostOrDoubledWhereverTheEngineDies() throws Exception {
    String id = sandbox.tag();
    List<String> whole = live(id);
    assertThat(whole)
        .contains(
            "pids equal: true",
            "exec: 7",
            "task: 137",
            "same time: true",
            "out: begin\n",
            "exec out: ran\n",
            "left: []")
        .containsSequence(
            "create " + id,
            "start " + id,
            "exec-added e",
            "exec-started e",
            "exit e 7",
            "paused " + id,
            "resumed " + id,
            "exit " + id + " 137",
            "delete " + id + " 137");
    // at the end the keeper has hung up
    whole.removeIf(line -> line.startsWith("broken: "));
    List<String> wrong = new ArrayList<>();
    int number = 1;
    int died = 0;
    while (number < MOST) {
      int engines = installation.engines().size();
      installation.crash(Stages.Kind.CALL, number, false);
      List<String> told;
      try {
        told = live(id);
      } catch (AssertionError e) {
        told = new ArrayList<>(List.of(String.valueOf(e.getMessage())));
        log(sandbox.top().resolve("task.log"));
        log(sandbox.top().resolve("exec.log"));
      }
      told.removeIf(line -> line.startsWith("broken: "));
      if (!told.equals(whole)) wrong.add("call " + number + ": " + told);
      if (installation.engines().size() == engines) break;
      died++;
      number += EVERY;
    }
    assertThat(wrong).as("of %s", whole).isEmpty();
    assertThat(died).as("crashes").isGreaterThan(5);
    assertThat(number).as("the calls of a whole life").isLessThan(MOST);
  }
}
