package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/// A keeper that is short of descriptors, of connections or of room in its file waits for them, and
/// loses nothing meanwhile.
class ShimShortageIT extends ShimTest {
  private static final int SIGKILL = 9;
  private static final int CONNECTIONS = 256;

  private void running() throws IOException {
    shim();
    pod.ok("Create", pod.createRequest("", "", "", false));
    pod.ok("Start", pod.request());
  }

  private void endTask() {
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    pod.finish();
  }

  private void limitKeeper(String resource, String soft) throws Exception {
    Process prlimit =
        new ProcessBuilder(
                "prlimit", "--pid", "" + pod.keeperPid(), "--" + resource + "=" + soft + ":")
            .inheritIO()
            .start();
    assertThat(prlimit.waitFor()).isZero();
  }

  /// User and system time so far, in hundredths of a second: proc_pid_stat(5).
  private long keeperTicks() throws IOException {
    String stat = Files.readString(Path.of("/proc/" + pod.keeperPid() + "/stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
  }

  private CompletableFuture<TtrpcResponse> ask(TtrpcClient client) {
    return client.send("containerd.task.v2.Task", "State", pod.request().toBytes());
  }

  @Test
  void whereDescriptorsAreShortNewConnectionsWait() throws Exception {
    running();
    int lowest = 0;
    while (Files.exists(Path.of("/proc/" + pod.keeperPid() + "/fd/" + lowest))) lowest++;
    limitKeeper("nofile", "" + lowest);
    try (TtrpcClient late = TtrpcClient.reading(pod.address())) {
      CompletableFuture<TtrpcResponse> answer = ask(late);
      long ticks = keeperTicks();
      Thread.sleep(1500);
      assertThat(keeperTicks() - ticks).as("hundredths of 1.5 s that it has worked").isLessThan(8);
      assertThat(answer).isNotDone();
      pod.ok("State", pod.request());
      limitKeeper("nofile", "2000");
      assertThat(TtrpcClient.await(answer).code()).isEqualTo(StatusCode.OK);
    }
    endTask();
  }

  @Test
  void moreConnectionsThanItHasPlacesForWait() throws Exception {
    running();
    List<TtrpcClient> clients = new ArrayList<>();
    List<CompletableFuture<TtrpcResponse>> answers = new ArrayList<>();
    try {
      for (int i = 0; i < CONNECTIONS + 20; i++) {
        TtrpcClient client = TtrpcClient.reading(pod.address());
        clients.add(client);
        answers.add(ask(client));
      }
      for (int i = 0; i < CONNECTIONS / 2; i++)
        assertThat(TtrpcClient.await(answers.get(i)).code()).isEqualTo(StatusCode.OK);
      assertThat(answers.getLast()).isNotDone();
      for (int i = 0; i < 40; i++) clients.get(i).close();
      assertThat(TtrpcClient.await(answers.getLast()).code()).isEqualTo(StatusCode.OK);
    } finally {
      for (TtrpcClient client : clients) client.close();
    }
    endTask();
  }

  @Test
  void exitsThatCannotBeWrittenDownWait() throws Exception {
    running();
    List<String> execs = List.of("e1", "e2", "e3");
    for (String exec : execs) {
      pod.ok("Exec", pod.execRequest(exec, "", "sleep", "1000"));
      pod.ok("Start", pod.request().string(2, exec));
    }
    limitKeeper("fsize", "40"); // one record and a part of the next
    for (int i = 0; i < execs.size(); i++)
      pod.ok("Kill", pod.request().string(2, execs.get(i)).uint32(3, SIGKILL));
    CompletableFuture<TtrpcResponse> last = pod.send("Wait", pod.request().string(2, "e3"));
    Sandbox.eventually(() -> execs.stream().anyMatch(this::hasEnded));
    Thread.sleep(300);
    long told = execs.stream().filter(this::hasEnded).count();
    assertThat(told).as("ends that are told while only one is written down").isEqualTo(1);
    sandbox.killEngine();
    limitKeeper("fsize", "unlimited");
    assertThat(ShimPod.ok("Wait", TtrpcClient.await(last)).int32(1)).isEqualTo(128 + SIGKILL);
    for (String exec : execs)
      assertThat(pod.ok("Wait", pod.request().string(2, exec)).int32(1)).isEqualTo(128 + SIGKILL);
    sandbox.killEngine();
    endTask();
    assertThat(sink.events()).contains("exit e1 137", "exit e2 137", "exit e3 137");
  }

  private boolean hasEnded(String exec) {
    return pod.ok("State", pod.request().string(2, exec)).int32(9) != 0;
  }
}
