package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Syscall;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// A task that was made, of which the keeper still had ends of FIFOs that stand in for its own when
/// engine and containerd died: Create does not come again, and who reads must see the end all the
/// same.
class ShimUnsettledIT extends HeldShimTest {
  private static final int SIGKILL = 9;

  private boolean isMade;
  private boolean wasHeld;

  /// The first message to the keeper behind the line that says so.
  private synchronized boolean isBehindCreation(Syscall<?> call) {
    if (call instanceof FileCall.Write(var _, byte[] bytes))
      isMade |= new String(bytes, StandardCharsets.UTF_8).contains("\"what\":\"CREATED\"");
    if (!isMade || wasHeld || !(call instanceof SocketCall.Sendmsg)) return false;
    wasHeld = true;
    return true;
  }

  private long keepersDescriptors() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + pod.keeperPid() + "/fd"))) {
      return all.count();
    }
  }

  @Test
  void readersSeeTheEnd() throws Exception {
    String out = fifos.make("out");
    CompletableFuture<byte[]> read = Fifos.reader(out);
    holdAt(this::isBehindCreation);
    long descriptors;
    try (TtrpcClient forgotten = TtrpcClient.reading(pod.address())) {
      byte[] request = pod.createRequest("", out, "", false).toBytes();
      CompletableFuture<TtrpcResponse> _ =
          forgotten.send("containerd.task.v2.Task", "Create", request);
      awaitHeld();
      descriptors = keepersDescriptors();
    }
    assertThat(Sandbox.eventually(() -> keepersDescriptors() < descriptors)).isTrue();
    engine.leave();
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    pod.ok("Wait", pod.request());
    assertThat(Fifos.text(read)).isEmpty();
    letGo();
    pod.finish();
  }
}
