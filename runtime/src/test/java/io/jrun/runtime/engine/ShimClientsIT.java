package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.task.TaskStatus;
import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcFrame;
import io.jrun.specs.ttrpc.TtrpcRequest;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Clients of a shim's socket that ask much, never read, or talk nonsense: others notice nothing.
class ShimClientsIT extends ShimTest {
  private static final int SIGKILL = 9;
  private static final String SERVICE = "containerd.task.v2.Task";

  @BeforeEach
  void run() throws IOException {
    shim();
    pod.ok("Create", pod.createRequest("", "", "", false));
    pod.ok("Start", pod.request());
  }

  @AfterEach
  void theTaskRunsToItsEnd() {
    assertThat(status("")).isEqualTo(TaskStatus.RUNNING);
    pod.ok("Kill", pod.request().uint32(3, SIGKILL));
    assertThat(pod.ok("Wait", pod.request()).int32(1)).isEqualTo(128 + SIGKILL);
    pod.finish();
  }

  private static long residentKilobytes(long pid) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }

  private static long descriptors(long pid) throws IOException {
    try (var all = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      return all.count();
    }
  }

  /// The bytes of the engine's objects that a full collection leaves.
  private static long heap(long engine) throws Exception {
    Process jcmd =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/jcmd",
                String.valueOf(engine),
                "GC.class_histogram")
            .redirectErrorStream(true)
            .start();
    String text = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(jcmd.waitFor()).as(text).isZero();
    return Long.parseLong(text.strip().replaceFirst("(?s).*\\nTotal\\s+\\d+\\s+(\\d+).*", "$1"));
  }

  private void ask(int rounds) {
    for (int i = 0; i < rounds; i++) {
      List<CompletableFuture<TtrpcResponse>> calls = new ArrayList<>();
      for (int j = 0; j < 100; j++) calls.add(pod.send("State", pod.request()));
      for (CompletableFuture<TtrpcResponse> call : calls)
        assertThat(TtrpcClient.await(call).code()).isEqualTo(StatusCode.OK);
    }
  }

  @Test
  void tenThousandRequestsLeaveAllAsSmallAsItWas() throws Exception {
    ask(5);
    long engine = sandbox.enginePid();
    long keeperKilobytes = residentKilobytes(pod.keeperPid());
    long engineHeap = heap(engine);
    long engineDescriptors = descriptors(engine);
    long keeperDescriptors = descriptors(pod.keeperPid());
    ask(100);
    assertThat(residentKilobytes(pod.keeperPid())).isLessThan(keeperKilobytes + 128);
    assertThat(keeperKilobytes).as("kilobytes of a keeper").isLessThan(256);
    assertThat(heap(engine))
        .as("bytes of heap, before: %d", engineHeap)
        .isLessThan(engineHeap + (256 << 10));
    assertThat(descriptors(engine)).isLessThanOrEqualTo(engineDescriptors + 8);
    assertThat(descriptors(pod.keeperPid())).isEqualTo(keeperDescriptors);
    assertThat(sandbox.enginePid()).isEqualTo(engine);
  }

  private static byte[] frame(int stream, String method, ProtoWriter payload) {
    byte[] request = new TtrpcRequest(SERVICE, method, payload.toBytes(), 0, Map.of()).toBytes();
    return new TtrpcFrame(stream, TtrpcFrame.REQUEST, 0, request).toBytes();
  }

  @Test
  void aClientThatNeverReadsHarmsNobody() throws Exception {
    try (TtrpcClient deaf = new TtrpcClient(pod.address())) {
      deaf.channel().configureBlocking(false);
      int refused = 0;
      for (int i = 0; i < 200_000 && refused < 200; i++) {
        ByteBuffer buffer = ByteBuffer.wrap(frame(2 * i + 1, "State", pod.request()));
        while (buffer.hasRemaining() && refused < 200) {
          if (deaf.channel().write(buffer) == 0) {
            refused++;
            Thread.sleep(5);
          }
        }
      }
      assertThat(refused).as("times that it could not write").isEqualTo(200);
      pod.ok("State", pod.request());
      assertThat(residentKilobytes(pod.keeperPid())).isLessThan(64 << 10);
    }
  }

  @Test
  void anOversizedFrameIsRefusedAndTheConnectionGoesOn() throws Exception {
    int stream = pod.client().nextStream();
    CompletableFuture<TtrpcResponse> answer = pod.client().expect(stream);
    byte[] data = new byte[TtrpcFrame.LIMIT + 1];
    pod.client().raw(new TtrpcFrame(stream, TtrpcFrame.REQUEST, 0, data).toBytes());
    assertThat(TtrpcClient.await(answer).code()).isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
    stream = pod.client().nextStream();
    answer = pod.client().expect(stream);
    data = new byte[TtrpcFrame.LIMIT];
    pod.client().raw(new TtrpcFrame(stream, TtrpcFrame.REQUEST, 0, data).toBytes());
    assertThat(TtrpcClient.await(answer).code()).isNotEqualTo(StatusCode.OK);
  }

  /// Every frame that does not come whole, in every length; and in as many pieces as it has bytes.
  @Test
  void aFrameThatIsCutShortIsNoRequest() throws Exception {
    byte[] frame = frame(1, "Kill", pod.request().uint32(3, SIGKILL));
    for (int length = 0; length < frame.length; length++) {
      try (TtrpcClient client = new TtrpcClient(pod.address())) {
        client.raw(java.util.Arrays.copyOf(frame, length));
      }
    }
    pod.ok("State", pod.request());
    TtrpcClient slow = TtrpcClient.reading(pod.address());
    try (slow) {
      CompletableFuture<TtrpcResponse> answer = slow.expect(1);
      for (byte one : frame(1, "State", pod.request())) slow.raw(new byte[] {one});
      assertThat(TtrpcClient.await(answer).code()).isEqualTo(StatusCode.OK);
    }
  }

  /// Frames of requests that change nothing, with some bytes exchanged: each is answered somehow,
  /// or taken for the beginning of a longer one, and a frame of another connection is answered
  /// well.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void framesThatAreDamagedHarmNobody(long seed) throws Exception {
    Random random = new Random(seed);
    String[] methods = {"State", "Wait", "Pids", "Connect", "Stats", "ResizePty"};
    for (int i = 0; i < 60; i++) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (int j = 0; j < 5; j++) {
        byte[] frame = frame(2 * j + 1, methods[random.nextInt(methods.length)], pod.request());
        for (int k = random.nextInt(4); k > 0; k--)
          frame[random.nextInt(frame.length)] = (byte) random.nextInt(256);
        bytes.write(frame);
      }
      try (TtrpcClient client = new TtrpcClient(pod.address())) {
        client.raw(bytes.toByteArray());
      }
    }
    pod.ok("State", pod.request());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void nonsenseHarmsNobody(long seed) throws Exception {
    Random random = new Random(seed);
    long descriptors = descriptors(pod.keeperPid());
    for (int i = 0; i < 100; i++) {
      try (TtrpcClient client = new TtrpcClient(pod.address())) {
        byte[] bytes = new byte[random.nextInt(2000)];
        random.nextBytes(bytes);
        if (random.nextBoolean() && bytes.length > TtrpcFrame.HEADER) {
          // a frame whose length is right and whose data is not, of any type, flags and stream
          ByteBuffer.wrap(bytes).putInt(bytes.length - TtrpcFrame.HEADER);
          if (random.nextBoolean()) bytes[8] = TtrpcFrame.REQUEST;
        }
        client.raw(bytes);
      }
    }
    pod.ok("State", pod.request());
    // one that is accepted late may come back for a moment
    assertThat(Sandbox.eventually(() -> descriptors(pod.keeperPid()) == descriptors))
        .as("the keeper has %d descriptors again", descriptors)
        .isTrue();
  }
}
