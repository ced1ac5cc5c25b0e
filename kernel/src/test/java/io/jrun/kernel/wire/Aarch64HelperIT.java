package io.jrun.kernel.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.host.HostKernel;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The helper for aarch64 on a machine that is not: its entry, its system call instruction and what
/// it makes of batches, under qemu. The batches are written by hand with that architecture's
/// numbers, since the engine speaks only its own machine's. Skipped without `qemu-aarch64-static`
/// (qemu-user-static) or a helper built by aarch64-linux-gnu-gcc.
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class Aarch64HelperIT {
  private static final Path QEMU = Path.of("/usr/bin/qemu-aarch64-static");
  private static final Path BINARY = Path.of("../build/helper/aarch64/jrun").toAbsolutePath();
  private static final int OPENAT = 56;
  private static final int CLOSE = 57;
  private static final int READ = 63;
  private static final int WRITE = 64;
  private static final int EXIT_GROUP = 94;
  private static final int GETPID = 172;
  private static final int AT_FDCWD = -100;

  private final HostKernel kernel = new HostKernel();

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Process process;

  @SuppressWarnings("NullAway.Init")
  private OwnedDescriptor socket;

  /// A call: its number, the kinds of its arguments as in protocol.h, and those.
  private record Call(int number, int kinds, long... args) {}

  @BeforeEach
  void start() throws Exception {
    assumeTrue(
        !System.getProperty("os.arch").equals("aarch64"), "the other tests run this helper here");
    assumeTrue(Files.isExecutable(QEMU), "needs qemu-aarch64-static (qemu-user-static)");
    assumeTrue(Files.isExecutable(BINARY), "the aarch64 helper is not built (needs its compiler)");
    String path = directory.resolve("engine.sock").toString();
    int type = SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC;
    try (OwnedDescriptor listener =
        OwnedDescriptor.open(kernel, new SocketCall.Socket(SocketCall.AF_UNIX, type, 0, false))) {
      kernel.call(new SocketCall.Bind(listener.descriptor(), SocketCall.unixAddress(path)));
      kernel.call(new SocketCall.Listen(listener.descriptor(), 1));
      ProcessBuilder builder =
          new ProcessBuilder(QEMU.toString(), BINARY.toString(), "first", "second");
      builder.environment().clear();
      builder.environment().put("JRUN_ENGINE", path);
      process = builder.start();
      socket = OwnedDescriptor.open(kernel, new SocketCall.Accept4(listener.descriptor()));
    }
  }

  @AfterEach
  void end() throws Exception {
    if (process == null) return;
    socket.close();
    process.destroyForcibly().waitFor();
  }

  private byte[] receive(int length) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (all.size() < length) {
      byte[] some =
          kernel.call(new SocketCall.Recvmsg(socket.descriptor(), length - all.size(), 0)).bytes();
      assertThat(some).as("the helper answers").isNotEmpty();
      all.writeBytes(some);
    }
    return all.toByteArray();
  }

  private static ByteBuffer buffer(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private String hello() {
    ByteBuffer header = buffer(receive(Protocol.HELLO_SIZE));
    assertThat(header.getInt()).isEqualTo(Protocol.MAGIC);
    assertThat(header.getInt()).isEqualTo(Protocol.VERSION);
    return new String(receive(header.getInt()), StandardCharsets.UTF_8);
  }

  private static long dataAt(int calls) {
    return Protocol.ARENA_BASE + Protocol.BATCH_SIZE + (long) calls * Protocol.CALL_SIZE;
  }

  private void send(List<Call> calls, byte[] data, int outSize) {
    int size = Protocol.BATCH_SIZE + calls.size() * Protocol.CALL_SIZE + data.length;
    byte[] bytes = new byte[size];
    ByteBuffer message = buffer(bytes);
    message.putInt(size).putInt(calls.size()).putInt(outSize).putInt(0);
    for (Call call : calls) {
      message.putShort((short) call.number()).putShort((short) call.kinds());
      message.putInt(0).putInt(0).putInt(0);
      for (int i = 0; i < 6; i++) message.putLong(i < call.args().length ? call.args()[i] : 0);
    }
    message.put(data);
    kernel.call(
        new SocketCall.Sendmsg(socket.descriptor(), bytes, List.of(), SocketCall.MSG_NOSIGNAL));
  }

  /// The results that came, one per call that was performed; the output follows in the buffer.
  private ByteBuffer answer(List<Long> results) {
    ByteBuffer header = buffer(receive(Protocol.REPLY_SIZE));
    int size = header.getInt() - Protocol.REPLY_SIZE;
    int done = header.getInt();
    ByteBuffer rest = buffer(receive(size));
    for (int i = 0; i < done; i++) results.add(rest.getLong());
    return rest;
  }

  @Test
  void itGreetsPerformsBatchesAndExitsAsTold() throws Exception {
    assertThat(hello()).contains("first\0second\0").contains("JRUN_ENGINE=");

    Path file = directory.resolve("written");
    byte[] path = (file + "\0").getBytes(StandardCharsets.UTF_8);
    byte[] text = "by aarch64".getBytes(StandardCharsets.UTF_8);
    byte[] data = new byte[(path.length + text.length + 15) & ~15];
    System.arraycopy(path, 0, data, 0, path.length);
    System.arraycopy(text, 0, data, path.length, text.length);
    long start = dataAt(4);
    long wronlyCreat = 0x41;
    send(
        List.of(
            new Call(GETPID, 0),
            new Call(OPENAT, 0, AT_FDCWD, start, wronlyCreat, 0644),
            new Call(WRITE, Protocol.KIND_RESULT, 1, start + path.length, text.length),
            new Call(CLOSE, Protocol.KIND_RESULT, 1)),
        data,
        0);
    List<Long> results = new ArrayList<>();
    answer(results);
    assertThat(results).hasSize(4);
    assertThat(results.getFirst()).isEqualTo(process.pid());
    assertThat(results.get(2)).isEqualTo(text.length);
    assertThat(results.get(3)).isZero();
    assertThat(file).hasContent("by aarch64");

    send(List.of(new Call(EXIT_GROUP, 0, 42)), new byte[0], 0);
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(42);
  }

  @Test
  void aFailureEndsABatchAndOutputComesBack() throws Exception {
    hello();
    Path file = Files.writeString(directory.resolve("read"), "contents");
    byte[] path = (file + "\0").getBytes(StandardCharsets.UTF_8);
    byte[] data = java.util.Arrays.copyOf(path, (path.length + 15) & ~15);
    long start = dataAt(3);
    send(
        List.of(
            new Call(OPENAT, 0, AT_FDCWD, start, 0),
            new Call(READ, Protocol.KIND_RESULT, 0, start + data.length, 8),
            new Call(CLOSE, Protocol.KIND_RESULT, 0)),
        data,
        8);
    List<Long> results = new ArrayList<>();
    ByteBuffer output = answer(results);
    assertThat(results).hasSize(3).element(1).isEqualTo(8L);
    byte[] read = new byte[8];
    output.get(read);
    assertThat(new String(read, StandardCharsets.UTF_8)).isEqualTo("contents");

    send(List.of(new Call(CLOSE, 0, 999), new Call(GETPID, 0)), new byte[0], 0);
    List<Long> failed = new ArrayList<>();
    answer(failed);
    assertThat(failed).containsExactly(-9L);
  }
}
