package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.task.TaskStatus;
import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What containerd asks of a shim, and what it is told.
class ShimIT extends ShimTest {
  private static final int SIGTERM = 15;
  private static final int SIGKILL = 9;

  /// A shim for a container that runs this shell script.
  private ShimPod shim(String script) throws IOException {
    String args = "[\"sh\",\"-c\",\"" + script.replace("\"", "\\\"") + "\"]";
    sandbox.config(text -> text.replace("[\"sleep\",\"1000\"]", args));
    return shim();
  }

  private ShimPod running(String script) throws IOException {
    shim(script);
    pod.ok("Create", pod.createRequest("", "", "", false));
    pod.ok("Start", pod.request());
    return pod;
  }

  private String fifo(String name) throws IOException {
    return fifos.make(name);
  }

  private void assertFails(String method, ProtoWriter request, StatusCode code, String message) {
    TtrpcResponse response = pod.call(method, request);
    assertThat(response.code() + " " + response.message()).isEqualTo(code + " " + message);
  }

  @Test
  void aTaskLivesAndItsEventsComeInOrder() throws Exception {
    shim("exit 3");
    String id = pod.id();
    int pid = pod.ok("Create", pod.createRequest("", "", "", false)).int32(1);
    assertThat(pid).isPositive();
    assertThat(status("")).isEqualTo(TaskStatus.CREATED);
    assertThat(Files.readString(sandbox.bundle().resolve("init.pid"))).isEqualTo("" + pid);
    assertThat(Files.readString(sandbox.bundle().resolve("address"))).isEqualTo(pod.address());
    CompletableFuture<TtrpcResponse> wait = pod.send("Wait", pod.request());
    assertThat(pod.ok("Start", pod.request()).int32(1)).isEqualTo(pid);
    ProtoMessage exit = ShimPod.ok("Wait", TtrpcClient.await(wait));
    assertThat(exit.int32(1)).isEqualTo(3);
    assertThat(exit.timestamp(2).toEpochMilli())
        .isBetween(System.currentTimeMillis() - 60_000, System.currentTimeMillis());
    assertThat(status("")).isEqualTo(TaskStatus.STOPPED);
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(3);
    ProtoMessage deleted = pod.ok("Delete", pod.request());
    assertThat(List.of(deleted.int32(1), deleted.int32(2))).containsExactly(pid, 3);
    pod.shutDown();
    assertThat(sink.events())
        .containsExactly("create " + id, "start " + id, "exit " + id + " 3", "delete " + id + " 3");
    assertThat(Path.of(pod.address().substring(7))).doesNotExist();
    assertThat(pod.deleteByCommand()).isNotEmpty();
  }

  @Test
  void aSignalIsAnExitOf128AndMore() throws Exception {
    running("sleep 1000");
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(128 + SIGKILL);
    assertFails(
        "Kill",
        pod.request().uint32(3, SIGTERM),
        StatusCode.NOT_FOUND,
        "process already finished: not found");
    pod.finish();
  }

  @Test
  void execedProcessesEndBeforeInit() throws Exception {
    running("sleep 1000");
    String id = pod.id();
    for (String exec : List.of("e1", "e2"))
      pod.ok("Exec", pod.execRequest(exec, "", "sleep", "1000"));
    pod.ok("Exec", pod.execRequest("e3", "", "sh", "-c", "exit 7"));
    for (String exec : List.of("e1", "e2", "e3"))
      assertThat(pod.ok("Start", pod.request().string(2, exec)).int32(1)).isPositive();
    assertThat(pod.ok("Wait", pod.request().string(2, "e3")).int32(1)).isEqualTo(7);
    List<ProtoMessage> pids = pod.ok("Pids", pod.request()).messages(1);
    assertThat(pids).hasSizeGreaterThanOrEqualTo(3);
    assertThat(pids.stream().filter(p -> p.has(2)).map(p -> p.message(2).message(2).string(1)))
        .containsExactlyInAnyOrder("e1", "e2");
    assertThat(status("e1")).isEqualTo(TaskStatus.RUNNING);
    pod.ok("Kill", pod.request().string(2, "e1").uint32(3, SIGTERM));
    assertThat(pod.ok("Wait", pod.request().string(2, "e1")).int32(1)).isEqualTo(128 + SIGTERM);
    pod.ok("Delete", pod.request().string(2, "e1"));
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.ok("Delete", pod.request().string(2, "e2"));
    assertThat(pod.ok("Delete", pod.request().string(2, "e3")).int32(2)).isEqualTo(7);
    pod.finish();
    List<String> events = sink.events();
    assertThat(events)
        .contains("exec-added e1", "exec-started e1", "exit e1 143", "exit e2 137", "exit e3 7");
    assertThat(events.indexOf("exit e2 137")).isLessThan(events.indexOf("exit " + id + " 137"));
    assertThat(events.indexOf("exec-started e3")).isLessThan(events.indexOf("exit e3 7"));
    assertThat(events).last().isEqualTo("delete " + id + " 137");
  }

  @Test
  void whatIsMissingOrTwiceIsRefusedAsByTheRuncShim() throws Exception {
    shim("sleep 1000");
    String no = "container not created: not found";
    for (String method : List.of("State", "Start", "Delete", "Wait", "Kill", "Pids", "Pause"))
      assertFails(method, pod.request(), StatusCode.NOT_FOUND, no);
    assertThat(pod.ok("Connect", pod.request()).int32(2)).isZero();
    pod.ok("Create", pod.createRequest("", "", "", false));
    assertThat(pod.call("Create", pod.createRequest("", "", "", false)).code())
        .isEqualTo(StatusCode.ALREADY_EXISTS);
    pod.ok("Start", pod.request());
    for (String method : List.of("State", "Start", "Delete", "Wait", "Kill"))
      assertFails(
          method,
          pod.request().string(2, "nobody"),
          StatusCode.NOT_FOUND,
          "process does not exist nobody: not found");
    pod.ok("Exec", pod.execRequest("e", "", "sleep", "1000"));
    assertFails(
        "Exec",
        pod.execRequest("e", "", "true"),
        StatusCode.ALREADY_EXISTS,
        "id e: already exists");
    assertFails(
        "Kill",
        pod.request().string(2, "e").uint32(3, SIGTERM),
        StatusCode.FAILED_PRECONDITION,
        "process not created: failed precondition");
    pod.ok("Delete", pod.request().string(2, "e"));
    pod.ok("Exec", pod.execRequest("bad", "", "/bin/missing"));
    assertThat(pod.call("Start", pod.request().string(2, "bad")).message())
        .startsWith("OCI runtime exec failed: ")
        .contains("no such file or directory");
    pod.ok("Delete", pod.request().string(2, "bad"));
    assertThat(pod.call("Nothing", pod.request()).code()).isEqualTo(StatusCode.UNIMPLEMENTED);
    TtrpcResponse other = TtrpcClient.await(pod.client().send("some.Service", "Do", new byte[0]));
    assertThat(other.code()).isEqualTo(StatusCode.UNIMPLEMENTED);
    pod.ok("Shutdown", pod.request());
    assertThat(status("")).as("nothing is shut down under a task").isEqualTo(TaskStatus.RUNNING);
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  private void assertRefused(String method, String message) {
    assertFails(method, pod.request(), StatusCode.UNKNOWN, message);
  }

  private void assertExecRefused(String message) {
    assertFails("Exec", pod.execRequest("late", "", "true"), StatusCode.UNKNOWN, message);
  }

  private ProtoWriter update() {
    return update("{\"pids\":{\"limit\":77}}");
  }

  private ProtoWriter update(String resources) {
    return pod.request().message(2, new ProtoWriter().string(1, "resources").string(2, resources));
  }

  @Test
  void whatDoesNotFitTheStateIsRefusedAsByTheRuncShim() throws Exception {
    shim("sleep 1000");
    pod.ok("Create", pod.createRequest("", "", "", false));
    assertRefused("Pause", "cannot pause task in created state");
    assertRefused("Resume", "cannot resume task in created state");
    assertRefused("Checkpoint", "cannot checkpoint a task in created state");
    pod.ok("Start", pod.request());
    assertRefused("Start", "cannot start a running process");
    assertRefused("Delete", "cannot delete a running process");
    assertRefused("Resume", "cannot resume a running process");
    pod.ok("Exec", pod.execRequest("never", "", "true"));
    pod.ok("Pause", pod.request());
    assertRefused("Pause", "cannot pause a paused container");
    assertRefused("Start", "cannot start a paused process");
    assertRefused("Delete", "cannot delete a paused process");
    assertExecRefused("cannot exec in a paused state");
    pod.ok("Resume", pod.request());
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    assertRefused("Start", "cannot start a stopped process");
    assertRefused("Pause", "cannot pause a stopped container");
    assertRefused("Resume", "cannot resume a stopped container");
    assertRefused("Checkpoint", "cannot checkpoint a stopped container");
    assertFails("Update", update(), StatusCode.UNKNOWN, "cannot update a stopped container");
    assertExecRefused("cannot exec in a stopped state");
    assertFails(
        "Start",
        pod.request().string(2, "never"),
        StatusCode.FAILED_PRECONDITION,
        "container " + pod.id() + " init process is not running: failed precondition");
    pod.finish();
  }

  @Test
  void aProcessThatIsNoJsonIsRefusedByExec() throws Exception {
    running("sleep 1000");
    ProtoWriter spec = new ProtoWriter().string(1, "process").string(2, "{\"args\":[");
    TtrpcResponse response = pod.call("Exec", pod.request().string(2, "e").message(7, spec));
    assertThat(response.message()).contains("is not JSON");
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
    assertThat(sink.events()).doesNotContain("exec-added e");
  }

  @Test
  void aProcessThatIsNoneIsRefusedByStartWithWhatIsWrong() throws Exception {
    running("sleep 1000");
    pod.ok("Exec", pod.execRequest("e", ""));
    assertFails(
        "Start",
        pod.request().string(2, "e"),
        StatusCode.UNKNOWN,
        "OCI runtime exec failed: process.json: /args: must not be empty");
    pod.ok("Delete", pod.request().string(2, "e"));
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  @Test
  void whoWaitsForAProcessIsAnsweredWhereItDoesNotStart() throws Exception {
    running("sleep 1000");
    pod.ok("Exec", pod.execRequest("e", "", "/bin/missing"));
    CompletableFuture<TtrpcResponse> waiter = pod.send("Wait", pod.request().string(2, "e"));
    assertThat(pod.call("Start", pod.request().string(2, "e")).code())
        .isEqualTo(StatusCode.UNKNOWN);
    assertThat(TtrpcClient.await(waiter).code()).isEqualTo(StatusCode.OK);
    pod.ok("Delete", pod.request().string(2, "e"));
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  @Test
  void aStateIsThatOfTheProcessAsked() throws Exception {
    running("sleep 1000");
    pod.ok("Exec", pod.execRequest("e", "", "sleep", "1000"));
    int pid = pod.ok("Start", pod.request().string(2, "e")).int32(1);
    ProtoMessage state = pod.ok("State", pod.request().string(2, "e"));
    assertThat(state.string(1)).isEqualTo("e");
    assertThat(state.int32(3)).isEqualTo(pid);
    assertThat(pod.ok("State", pod.request()).string(1)).isEqualTo(pod.id());
    pod.ok("Pause", pod.request());
    assertThat(status("e")).as("frozen with its container").isEqualTo(TaskStatus.PAUSED);
    pod.ok("Resume", pod.request());
    assertThat(status("e")).isEqualTo(TaskStatus.RUNNING);
    pod.ok("Kill", pod.request().string(2, "e").uint32(3, SIGKILL));
    pod.ok("Wait", pod.request().string(2, "e"));
    assertFails(
        "ResizePty",
        pod.request().string(2, "e"),
        StatusCode.UNKNOWN,
        "cannot resize a stopped container");
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  @Test
  void aFailedCreateLeavesNothingAndCanBeRepeated() throws Exception {
    shim("exit 0");
    Files.move(sandbox.bundle().resolve("rootfs"), sandbox.bundle().resolve("away"));
    TtrpcResponse failed = pod.call("Create", pod.createRequest("", "", "", false));
    assertThat(failed.message()).startsWith("OCI runtime create failed: ");
    assertThat(sandbox.left(pod.id()).stream().filter(l -> !l.startsWith("process")))
        .as("%s", failed)
        .isEmpty();
    Files.move(sandbox.bundle().resolve("away"), sandbox.bundle().resolve("rootfs"));
    pod.ok("Create", pod.createRequest("", "", "", false));
    pod.ok("Start", pod.request());
    pod.ok("Wait", pod.request());
    pod.finish();
    assertThat(sink.events()).hasSize(4);
  }

  @Test
  void anIdThatIsNoneIsRefusedAndKeepsNoPod() throws Exception {
    shim("exit 0");
    ProtoWriter create = ShimPod.request("a b").string(2, sandbox.bundle().toString());
    assertThat(pod.call("Create", create).message())
        .startsWith("OCI runtime create failed: invalid container id \"a b\"");
    pod.shutDown();
  }

  @Test
  void whatTheMachineLacksIsAFailureOfCreate() throws Exception {
    sandbox.config(text ->
        text.replace("\"process\":{", "\"process\":{\"apparmorProfile\":\"jrun-no-such\","));
    shim();
    assertThat(pod.call("Create", pod.createRequest("", "", "", false)).message())
        .startsWith("OCI runtime create failed: /process/apparmorProfile: ");
    pod.shutDown();
  }

  @Test
  void aCreatedTaskIsDeletedWithoutAStart() throws Exception {
    shim("exit 0");
    pod.ok("Create", pod.createRequest("", "", "", false));
    assertThat(pod.ok("Delete", pod.request()).int32(2)).isEqualTo(128 + SIGKILL);
    pod.shutDown();
    String id = pod.id();
    assertThat(sink.events())
        .containsExactly("create " + id, "exit " + id + " 137", "delete " + id + " 137");
  }

  @Test
  void aTaskIsPausedAndResumed() throws Exception {
    running("sleep 1000");
    pod.ok("Pause", pod.request());
    assertThat(status("")).isEqualTo(TaskStatus.PAUSED);
    assertThat(pod.call("Exec", pod.execRequest("e", "", "true")).code())
        .isNotEqualTo(StatusCode.OK);
    pod.ok("Resume", pod.request());
    assertThat(status("")).isEqualTo(TaskStatus.RUNNING);
    pod.ok("Pause", pod.request());
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
    assertThat(sink.events()).contains("paused " + pod.id(), "resumed " + pod.id());
  }

  @Test
  void limitsAreUpdated() throws Exception {
    running("sleep 1000");
    assertFails("Update", update("[]"), StatusCode.UNKNOWN, "resources: must be an object");
    pod.ok("Update", update());
    Path state = Path.of("/run/containerd/jrun", ShimPod.NAMESPACE, pod.id(), "state");
    assertThat(Files.readString(state)).contains("\"limit\":77");
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  @Test
  void outputGoesThroughFifosAndNoByteOfItIsLostWithTheEngine() throws Exception {
    shim("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo end >&2");
    String out = fifo("out");
    String err = fifo("err");
    CompletableFuture<byte[]> errors = Fifos.reader(err);
    pod.ok("Create", pod.createRequest("", out, err, false));
    pod.ok("Start", pod.request());
    sandbox.killEngine();
    CompletableFuture<byte[]> bytes = Fifos.reader(out);
    sandbox.killEngine();
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isZero();
    String text = Fifos.text(bytes);
    assertThat(text).startsWith("line 0\n").endsWith("line 19999\n");
    assertThat(text.lines()).hasSize(20000);
    assertThat(Fifos.text(errors)).isEqualTo("end\n");
    pod.finish();
    assertThat(sink.events()).hasSize(4);
  }

  @Test
  void whatNobodyHasReadWaitsForAReader() throws Exception {
    shim("echo early");
    String out = fifo("out");
    pod.ok("Create", pod.createRequest("", out, "", false));
    pod.ok("Start", pod.request());
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isZero();
    byte[] bytes = new byte[64];
    // to read and to write, as there is no writer any more for which to wait
    try (RandomAccessFile reader = new RandomAccessFile(out, "rw")) {
      assertThat(new String(bytes, 0, reader.read(bytes), StandardCharsets.UTF_8))
          .isEqualTo("early\n");
    }
    pod.finish();
  }

  @Test
  void inputEndsWithCloseIoAndNotWithItsClient() throws Exception {
    shim("cat; echo done");
    String in = fifo("in");
    String out = fifo("out");
    CompletableFuture<byte[]> bytes = Fifos.reader(out);
    pod.ok("Create", pod.createRequest(in, out, "", false));
    pod.ok("Start", pod.request());
    Files.writeString(Path.of(in), "one\n");
    sandbox.killEngine();
    Files.writeString(Path.of(in), "two\n");
    assertThat(status("")).isEqualTo(TaskStatus.RUNNING);
    pod.ok("CloseIO", pod.request().bool(3, true));
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isZero();
    assertThat(Fifos.text(bytes)).isEqualTo("one\ntwo\ndone\n");
    pod.finish();
  }

  /// A client whose input ends at once asks for CloseIO while the process is being made.
  @Test
  void closeIoDuringStartDoesNotKeepTheProcessWaiting() throws Exception {
    running("sleep 1000");
    String in = fifo("in");
    for (int i = 0; i < 30; i++) {
      String exec = "e" + i;
      pod.ok("Exec", pod.execRequest(exec, "", "true").string(4, in));
      CompletableFuture<TtrpcResponse> start = pod.send("Start", pod.request().string(2, exec));
      do pod.ok("CloseIO", pod.request().string(2, exec).bool(3, true));
      while (!start.isDone());
      ShimPod.ok("Start", TtrpcClient.await(start));
      assertThat(pod.ok("Wait", pod.request().string(2, exec)).int32(1)).isZero();
      pod.ok("Delete", pod.request().string(2, exec));
    }
    pod.ok("Kill", pod.request().uint32(3, 9));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  /// As where the client is quicker than who opens the input for Start.
  @Test
  void closeIoBeforeStartIsNotForgotten() throws Exception {
    running("sleep 1000");
    String in = fifo("in");
    pod.ok("Exec", pod.execRequest("e", "", "cat").string(4, in));
    pod.ok("CloseIO", pod.request().string(2, "e").bool(3, true));
    sandbox.killEngine();
    pod.ok("Start", pod.request().string(2, "e"));
    assertThat(pod.ok("Wait", pod.request().string(2, "e")).int32(1)).isZero();
    pod.ok("Delete", pod.request().string(2, "e"));
    pod.ok("Kill", pod.request().uint32(3, 9));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  /// ctr gives up what it is still opening when its Delete is answered.
  @Test
  void deleteWaitsForWhoeverReads() throws Exception {
    running("sleep 1000");
    Path out = Path.of(fifo("out"));
    CompletableFuture<InputStream> opening =
        CompletableFuture.supplyAsync(() -> {
          try {
            return Files.newInputStream(out);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    pod.ok("Exec", pod.execRequest("e", out.toString(), "echo", "said"));
    pod.ok("Start", pod.request().string(2, "e"));
    pod.ok("Wait", pod.request().string(2, "e"));
    CompletableFuture<TtrpcResponse> delete = pod.send("Delete", pod.request().string(2, "e"));
    Thread.sleep(300);
    assertThat(delete).isNotDone();
    try (InputStream reading = opening.get()) {
      assertThat(new String(reading.readNBytes(5), StandardCharsets.UTF_8)).isEqualTo("said\n");
    }
    ShimPod.ok("Delete", TtrpcClient.await(delete));
    pod.ok("Kill", pod.request().uint32(3, 9));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  @Test
  void aTerminalOutlivesTheEngine() throws Exception {
    sandbox.config(text ->
        text.replace("\"terminal\":false", "\"terminal\":true")
            .replace(
                "[\"sleep\",\"1000\"]",
                "[\"sh\",\"-c\",\"read a; busybox stty size; echo got $a; exit 4\"]"));
    shim();
    String in = fifo("in");
    String out = fifo("out");
    CompletableFuture<byte[]> bytes = Fifos.reader(out);
    pod.ok("Create", pod.createRequest(in, out, "", true));
    pod.ok("Start", pod.request());
    sandbox.killEngine();
    pod.ok("ResizePty", pod.request().uint32(3, 90).uint32(4, 30));
    Files.writeString(Path.of(in), "word\n");
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(4);
    assertThat(Fifos.text(bytes)).contains("30 90").contains("got word");
    pod.finish();
  }

  @Test
  void outputGoesToAFile() throws Exception {
    shim("echo out; echo err >&2");
    Path file = sandbox.top().resolve("logs/of/it");
    pod.ok("Create", pod.createRequest("", "file://" + file, "", false));
    pod.ok("Start", pod.request());
    pod.ok("Wait", pod.request());
    pod.finish();
    assertThat(Files.readString(file)).isEqualTo("out\nerr\n");
  }

  @Test
  void whoOpensStandardOutputAgainTakesNothingFromTheFile() throws Exception {
    shim("echo first; echo second >/proc/self/fd/1");
    Path file = sandbox.top().resolve("log");
    pod.ok("Create", pod.createRequest("", "file://" + file, "", false));
    sandbox.killEngine();
    pod.ok("Start", pod.request());
    pod.ok("Wait", pod.request());
    pod.finish();
    assertThat(Files.readString(file)).isEqualTo("first\nsecond\n");
  }

  /// A program that logs into `log.txt`, first its arguments and whose output it is; its URI.
  private String logger() throws IOException {
    Path logger = sandbox.top().resolve("logger");
    Path log = sandbox.top().resolve("log.txt");
    Files.writeString(
        logger,
        "#!/bin/busybox sh\ntrap '' TERM\nexec 5>&-\n"
            + "(echo args $@ $CONTAINER_ID $CONTAINER_NAMESPACE; cat <&3) >"
            + log
            + "\n");
    logger.toFile().setExecutable(true);
    return "binary://" + logger + "?k=v";
  }

  private void assertLogged(String id, String text) {
    Path log = sandbox.top().resolve("log.txt");
    String expected = "args k v " + id + " " + ShimPod.NAMESPACE + "\n" + text;
    assertThat(
            Sandbox.eventually(() -> Files.exists(log) && Files.readString(log).equals(expected)))
        .as("%s: %s", expected, log.toFile())
        .isTrue();
  }

  @Test
  void outputGoesToALogger() throws Exception {
    shim("echo logged");
    pod.ok("Create", pod.createRequest("", logger(), "", false));
    pod.ok("Start", pod.request());
    sandbox.killEngine();
    pod.ok("Wait", pod.request());
    pod.finish();
    assertLogged(pod.id(), "logged\n");
  }

  @Test
  void aTerminalGoesToALoggerAndOutlivesTheEngine() throws Exception {
    sandbox.config(text ->
        text.replace("\"terminal\":false", "\"terminal\":true")
            .replace(
                "[\"sleep\",\"1000\"]", "[\"sh\",\"-c\",\"read a; echo got $a; read b; exit 4\"]"));
    shim();
    String in = fifo("in");
    pod.ok("Create", pod.createRequest(in, logger(), "", true));
    pod.ok("Start", pod.request());
    Files.writeString(Path.of(in), "one\n");
    sandbox.killEngine();
    assertLogged(pod.id(), "one\r\ngot one\r\n"); // before the terminal shows what comes next
    Files.writeString(Path.of(in), "two\n");
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(4);
    pod.finish();
    assertLogged(pod.id(), "one\r\ngot one\r\ntwo\r\n");
  }

  /// As by runc's shim, which gives its own id to each logger.
  @Test
  void theLoggerOfAnExecedProcessIsToldItsId() throws Exception {
    running("sleep 1000");
    pod.ok("Exec", pod.execRequest("e", logger(), "echo", "logged"));
    pod.ok("Start", pod.request().string(2, "e"));
    pod.ok("Wait", pod.request().string(2, "e"));
    pod.ok("Delete", pod.request().string(2, "e"));
    assertLogged("e", "logged\n");
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  @Test
  void aGroupHasOneShim() throws Exception {
    sandbox.config(text ->
        text.replace(
            "\"ociVersion\":",
            "\"annotations\":{\"io.kubernetes.cri.sandbox-id\":\""
                + sandbox.tag()
                + "\"},\"ociVersion\":"));
    shim();
    assertThat(ShimPod.start(program(), sandbox.bundle(), sandbox.top(), "another", new byte[0]))
        .isEqualTo(pod.address());
    // BootstrapParams of containerd 2.3, an Any of those before
    byte[] params = new ProtoWriter().string(1, "another").string(2, "ns").string(5, "x").toBytes();
    assertThat(ShimPod.start(program(), sandbox.bundle(), sandbox.top(), "another", params))
        .isEqualTo("{\"version\":3,\"address\":\"" + pod.address() + "\",\"protocol\":\"ttrpc\"}");
    byte[] any =
        new ProtoWriter().string(1, "containerd.runc.v1.Options").bytes(2, params).toBytes();
    assertThat(ShimPod.start(program(), sandbox.bundle(), sandbox.top(), "another", any))
        .isEqualTo(pod.address());
    pod.shutDown();
  }

  /// `socket_dir` of containerd since 2.3.
  @Test
  void theSocketIsWhereContainerdWantsIt() throws Exception {
    Path sockets = Path.of("/tmp", "s-" + sandbox.tag());
    byte[] params =
        new ProtoWriter().string(4, "2.3").string(5, "x").string(9, sockets.toString()).toBytes();
    pod = new ShimPod(program(), sandbox.bundle(), sandbox.top(), sandbox.tag(), params, Map.of());
    assertThat(pod.address()).startsWith("unix://" + sockets + "/");
    pod.ok("Create", pod.createRequest("", "", "", false));
    pod.ok("Start", pod.request());
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
    assertThat(sockets).isEmptyDirectory();
    Files.delete(sockets);
  }

  @Test
  void deleteEndsWhatAKilledShimHasLeft() throws Exception {
    running("sleep 1000");
    ProcessHandle keeper = ProcessHandle.of(pod.keeperPid()).orElseThrow();
    keeper.destroyForcibly();
    pod.awaitKeeper();
    sandbox.killEngine();
    ProtoMessage deleted =
        ProtoMessage.parse(pod.deleteByCommand().getBytes(StandardCharsets.ISO_8859_1));
    assertThat(deleted.int32(2)).isEqualTo(128 + SIGKILL);
    assertThat(sandbox.leftSoon(pod.id())).isEmpty();
    Path socket = Path.of(pod.address().replaceFirst("^unix://", ""));
    assertThat(socket).doesNotExist();
    assertThat(Path.of("/run/jrun-shim").resolve(socket.getFileName())).doesNotExist();
    assertThat(pod.deleteByCommand()).isNotEmpty();
  }

  private ProtoWriter createRequest(ProtoWriter runcOptions) {
    return pod.createRequest("", "", "", false)
        .message(
            10,
            new ProtoWriter()
                .string(1, "containerd.runc.v1.Options")
                .bytes(2, runcOptions.toBytes()));
  }

  /// `BinaryName` of runc's options: another runtime is not asked, and the shim's log says so.
  @Test
  void aBinaryNameIsIgnoredWithAWarning() throws Exception {
    Path log = Files.createFile(sandbox.bundle().resolve("log"));
    shim("exit 3");
    pod.ok("Create", createRequest(new ProtoWriter().string(6, "/no/such\"runtime")));
    assertThat(log)
        .content()
        .contains(
            " level=warning msg=\"BinaryName /no/such\\\"runtime is ignored: jrun is its own runtime\"\n");
    pod.ok("Start", pod.request());
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(3);
    pod.ok("Delete", pod.request());
  }

  /// `NoNewKeyring` of runc's options.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aContainerHasASessionKeyringOfItsOwnUnlessTheOptionsForbidIt(boolean noNewKeyring)
      throws Exception {
    String grep = "busybox grep -q ";
    String script =
        grep + ": /proc/keys || exit 9; " + grep + "' _ses." + sandbox.tag() + ": ' /proc/keys";
    sandbox.config(text ->
        text.replace("[\"sleep\",\"1000\"]", "[\"sh\",\"-c\",\"" + script + "\"]")
            .replaceFirst("\"maskedPaths\":\\[.*?]", "\"maskedPaths\":[]"));
    shim();
    pod.ok("Create", createRequest(new ProtoWriter().bool(2, noNewKeyring)));
    pod.ok("Start", pod.request());
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(noNewKeyring ? 1 : 0);
    pod.ok("Delete", pod.request());
  }

  /// `CriuPath` of runc's options.
  @Test
  void theCriuThatTheOptionsNameIsAsked() throws Exception {
    Path told = sandbox.top().resolve("told");
    Path criu = sandbox.top().resolve("another-criu");
    Files.writeString(criu, "#!/bin/sh\necho \"$@\" > " + told + "\n");
    Files.setPosixFilePermissions(criu, PosixFilePermissions.fromString("rwxr-xr-x"));
    shim("sleep 1000");
    pod.ok("Create", createRequest(new ProtoWriter().string(8, criu.toString())));
    pod.ok("Start", pod.request());
    Path images = sandbox.top().resolve("images");
    assertThat(pod.call("Checkpoint", ShimCheckpointIT.checkpoint(pod, images, true)).message())
        .contains("criu ended without an answer");
    assertThat(told).content().startsWith("swrk ");
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.ok("Delete", pod.request());
  }

  /// `ShimCgroup` of runc's options.
  @Test
  void theKeeperJoinsACgroupAndTheEnginesThatItStartsDoNot() throws Exception {
    String name = "shim-" + sandbox.tag();
    Path cgroup = Files.createDirectory(sandbox.aHierarchy().resolve(name));
    try {
      shim("sleep 1000");
      String before = Files.readString(Path.of("/proc/" + pod.keeperPid() + "/cgroup"));
      pod.ok("Create", createRequest(new ProtoWriter().string(3, "/" + name)));
      assertThat(Files.readString(cgroup.resolve("cgroup.procs"))).contains("" + pod.keeperPid());
      sandbox.killEngine();
      pod.ok("Start", pod.request());
      assertThat(Files.readString(Path.of("/proc/" + sandbox.enginePid() + "/cgroup")))
          .isEqualTo(before);
      assertThat(Files.readAllLines(cgroup.resolve("cgroup.procs")))
          .containsExactly("" + pod.keeperPid());
      pod.ok("Kill", pod.request().uint32(3, SIGKILL));
      pod.ok("Wait", pod.request());
      pod.finish();
    } finally {
      pod.close();
      Files.delete(cgroup);
    }
  }

  @Test
  void versionAndFeaturesAreTold() throws Exception {
    assertThat(ShimPod.run(program(), sandbox.bundle(), sandbox.top(), new byte[0], "-v"))
        .startsWith("containerd-shim-jrun-v2");
    ProtoMessage info =
        ProtoMessage.parse(
            ShimPod.run(program(), sandbox.bundle(), sandbox.top(), new byte[0], "-info")
                .getBytes(StandardCharsets.ISO_8859_1));
    assertThat(info.string(1)).isEqualTo("io.containerd.jrun.v2");
    assertThat(info.message(4).string(1)).endsWith("/runtime-spec/1/features/Features");
    assertThat(info.message(4).string(2)).contains("\"mountExtensions\"");
  }

  @Test
  void eventsWaitForContainerd() throws Exception {
    sink.close();
    running("exit 0");
    pod.ok("Wait", pod.request());
    sandbox.killEngine();
    sink = new EventSink(ShimPod.events(sandbox.top()));
    assertThat(sink.await(3)).hasSize(3);
    sink.close();
    sink = new EventSink(ShimPod.events(sandbox.top()));
    pod.finish();
    assertThat(sink.events()).containsExactly("delete " + pod.id() + " 0");
  }

  @Test
  void anEngineIsReplacedUnderARunningTask() throws Exception {
    running("sleep 1000");
    CompletableFuture<TtrpcResponse> wait = pod.send("Wait", pod.request());
    long before = sandbox.enginePid();
    Sandbox.text(sandbox.run(sandbox.command(Map.of(), "engine", "restart")));
    assertThat(status("")).isEqualTo(TaskStatus.RUNNING);
    assertThat(sandbox.enginePid()).isNotEqualTo(before);
    assertThat(pod.client().isBroken()).isFalse();
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    assertThat(ShimPod.ok("Wait", TtrpcClient.await(wait)).int32(1)).isEqualTo(137);
    pod.finish();
    assertThat(sink.events()).hasSize(4);
  }
}
