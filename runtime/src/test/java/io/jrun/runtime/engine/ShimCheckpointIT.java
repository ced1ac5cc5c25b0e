package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.task.TaskStatus;
import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// Tasks that are saved and restored through the shim, with the `criu` of the PATH.
@EnabledIf(value = "criuWorks", disabledReason = ShimCheckpointIT.NO_CRIU)
class ShimCheckpointIT extends ShimTest {
  static final String NO_CRIU = "no criu that can check itself on this kernel";

  private static final String COUNT = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done";
  private static final int SIGKILL = 9;

  private Path images;

  static boolean criuWorks() throws IOException, InterruptedException {
    return new ProcessBuilder("sh", "-c", "command -v criu && criu check")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor()
        == 0;
  }

  static void runs(Sandbox sandbox, String script) throws IOException {
    sandbox.config(
        text -> text.replace("[\"sleep\",\"1000\"]", "[\"sh\",\"-c\",\"" + script + "\"]"));
  }

  static ProtoWriter checkpoint(ShimPod pod, Path images, boolean exit) {
    return pod.request()
        .string(2, images.toString())
        .message(
            3,
            new ProtoWriter()
                .string(1, "containerd.runc.v1.CheckpointOptions")
                .bytes(2, new ProtoWriter().bool(1, exit).toBytes()));
  }

  @BeforeEach
  void make() throws IOException {
    images = sandbox.top().resolve("images");
    runs(sandbox, COUNT);
    shim();
  }

  private TaskStatus status() {
    return status("");
  }

  private void start(ProtoWriter create) {
    pod.ok("Create", create);
    pod.ok("Start", pod.request());
  }

  private void killAndFinish() {
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  @Test
  void aSavedTaskGoesOnCountingIntoAnotherFifo() throws Exception {
    String id = pod.id();
    String first = fifos.make("first");
    int last = 0;
    start(pod.createRequest("", first, "", false));
    try (BufferedReader lines = Files.newBufferedReader(Path.of(first))) {
      while (last < 5) last = Integer.parseInt(lines.readLine());
      pod.ok("Checkpoint", checkpoint(pod, images, true));
      assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(128 + SIGKILL);
      assertThat(status()).isEqualTo(TaskStatus.STOPPED);
      pod.ok("Delete", pod.request());
      for (String line = lines.readLine(); line != null; line = lines.readLine())
        last = Integer.parseInt(line);
    }
    assertThat(sandbox.bundle().resolve("work/criu-work")).doesNotExist();

    String second = fifos.make("second");
    ProtoWriter create = pod.createRequest("", second, "", false).string(8, images.toString());
    assertThat(pod.ok("Create", create).int32(1)).isZero();
    assertThat(status()).isEqualTo(TaskStatus.CREATED);
    for (String method : List.of("Pause", "Checkpoint"))
      assertThat(pod.call(method, pod.request().string(2, "/x")).message())
          .contains("created state");
    assertThat(pod.call("Exec", pod.execRequest("e", "", "true")).message())
        .contains("created state");
    int pid;
    try (BufferedReader lines = openedWhile(second)) {
      pid = pod.ok("Start", pod.request()).int32(1);
      assertThat(pid).isPositive();
      // what was written and not read comes again
      int next = Integer.parseInt(lines.readLine());
      assertThat(next).isBetween(last, last + 2);
      for (int i = 1; i < 10; i++) assertThat(lines.readLine()).isEqualTo("" + (next + i));
      assertThat(status()).isEqualTo(TaskStatus.RUNNING);
      assertThat(Files.readString(sandbox.bundle().resolve("init.pid"))).isEqualTo("" + pid);
      pod.ok("Exec", pod.execRequest("e", "", "sh", "-c", "exit 7"));
      pod.ok("Start", pod.request().string(2, "e"));
      assertThat(pod.ok("Wait", pod.request().string(2, "e")).int32(1)).isEqualTo(7);
      pod.ok("Stats", pod.request());
      assertThat(pod.ok("Pids", pod.request()).messages(1)).isNotEmpty();
      sandbox.killEngine();
      killAndFinish();
    }
    assertThat(sink.events())
        .containsSubsequence(
            "create " + id,
            "start " + id,
            "checkpointed " + id,
            "exit " + id + " 137",
            "delete " + id + " 137",
            "create " + id,
            "start " + id,
            "exec-added e",
            "exit e 7",
            "exit " + id + " 137",
            "delete " + id + " 137");
  }

  /// Also to write, so that nobody waits for the other.
  private static BufferedReader openedWhile(String fifo) throws IOException {
    return new BufferedReader(
        new java.io.InputStreamReader(
            java.nio.channels.Channels.newInputStream(
                new java.io.RandomAccessFile(fifo, "rw").getChannel()),
            java.nio.charset.StandardCharsets.UTF_8));
  }

  @Test
  void aTaskWithATerminalIsRestoredWithAnother() throws Exception {
    pod.close();
    sandbox.config(text ->
        text.replace("\"terminal\":false", "\"terminal\":true")
            .replace(
                "[\"sleep\",\"1000\"]", "[\"sh\",\"-c\",\"while read a; do echo got $a; done\"]"));
    shim();
    String in = fifos.make("in");
    String out = fifos.make("out");
    try (BufferedReader lines = openedWhile(out)) {
      start(pod.createRequest(in, out, "", true));
      Files.writeString(Path.of(in), "one\n");
      assertThat(lines.readLine()).isEqualTo("one");
      assertThat(lines.readLine()).isEqualTo("got one");
      pod.ok("Checkpoint", checkpoint(pod, images, true));
      pod.ok("Wait", pod.request());
      pod.ok("Delete", pod.request());
      start(pod.createRequest(in, out, "", true).string(8, images.toString()));
      sandbox.killEngine();
      Files.writeString(Path.of(in), "two\n");
      assertThat(lines.readLine()).isEqualTo("two");
      assertThat(lines.readLine()).isEqualTo("got two");
      pod.ok("ResizePty", pod.request().uint32(3, 90).uint32(4, 30));
      killAndFinish();
    }
  }

  @Test
  void aPausedTaskIsSavedAndLeftPaused() throws Exception {
    start(pod.createRequest("", "", "", false));
    pod.ok("Pause", pod.request());
    pod.ok("Checkpoint", checkpoint(pod, images, false));
    assertThat(images.resolve("inventory.img")).isNotEmptyFile();
    assertThat(status()).isEqualTo(TaskStatus.PAUSED);
    pod.ok("Resume", pod.request());
    killAndFinish();
    assertThat(sink.events())
        .containsSubsequence(
            "paused " + pod.id(), "checkpointed " + pod.id(), "resumed " + pod.id());
  }

  @Test
  void whatCannotBeSavedRunsOn() throws Exception {
    start(pod.createRequest("", "", "", false));
    Path file = Files.createFile(sandbox.top().resolve("file"));
    TtrpcResponse failed = pod.call("Checkpoint", checkpoint(pod, file.resolve("below"), true));
    assertThat(failed.message()).startsWith("checkpoint: ").contains(file.toString());
    assertThat(pod.call("Checkpoint", pod.request()).code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
    assertThat(status()).isEqualTo(TaskStatus.RUNNING);
    killAndFinish();
    assertThat(sink.events())
        .noneMatch(event -> event.startsWith("checkpointed"))
        .contains("exit " + pod.id() + " 137");
  }

  @Test
  void whatCannotBeRestoredIsDeleted() throws Exception {
    Files.createDirectory(images);
    ProtoWriter create = pod.createRequest("", "", "", false).string(8, images.toString());
    pod.ok("Create", create);
    TtrpcResponse failed = pod.call("Start", pod.request());
    assertThat(failed.message()).startsWith("OCI runtime restore failed: ");
    assertThat(sandbox.left(pod.id())).allMatch(left -> left.equals("process " + pod.keeperPid()));
    assertThat(status()).isEqualTo(TaskStatus.CREATED);
    pod.finish();
    assertThat(sink.events()).containsExactly("create " + pod.id(), "delete " + pod.id() + " 0");
  }
}
