package io.jrun.kernel.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Received;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.host.HostKernel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A helper's answers, good and bad; a thread plays the helper.
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HelperTest {
  private static final int OUT = 16;

  private final Kernel kernel = new HostKernel();
  private final Batch batch = new Batch();
  private final Pending<Descriptor> opened =
      batch.add(new FileCall.Openat(Descriptor.CWD, "x", FileCall.O_RDONLY, 0, true), Errno.ENOENT);
  private final Pending<byte[]> read = batch.add(new FileCall.Read(opened.descriptor(), OUT));

  private static byte[] reply(int size, int done, long[] results, byte[] out) {
    ByteBuffer b =
        ByteBuffer.allocate(8 + 8 * results.length + out.length).order(ByteOrder.nativeOrder());
    b.putInt(size).putInt(done);
    for (long result : results) b.putLong(result);
    return b.put(out).array();
  }

  private static byte[] reply(long[] results, byte[] out) {
    return reply(8 + 8 * results.length + out.length, results.length, results, out);
  }

  private static byte[] hello(int size, int argc, int envc, String strings) {
    byte[] bytes = strings.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Protocol.HELLO_SIZE + bytes.length)
        .order(ByteOrder.nativeOrder())
        .putInt(Protocol.MAGIC)
        .putInt(Protocol.VERSION)
        .putInt(size)
        .putInt(argc)
        .putInt(envc)
        .putInt(0)
        .put(bytes)
        .array();
  }

  /// Asks a helper that reads one batch where `asked`, sends these bytes and descriptors, and ends.
  private <R> R with(
      byte[] answer, List<Integer> descriptors, boolean asked, Function<Helper, R> ask) {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1));
    CompletableFuture<Void> helper =
        CompletableFuture.runAsync(
            () -> {
              try (theirs) {
                if (asked) kernel.call(new SocketCall.Recvmsg(theirs.descriptor(), 1 << 16, 0));
                if (answer.length == 0) return;
                try {
                  kernel.call(
                      new SocketCall.Sendmsg(
                          theirs.descriptor(), answer, descriptors, SocketCall.MSG_NOSIGNAL));
                } catch (KernelException e) {
                  // the other side hung up first
                }
              }
            },
            task -> Thread.ofPlatform().start(task));
    try (Helper ours = new Helper(kernel, new OwnedDescriptor(kernel, pair.get(0)))) {
      return ask.apply(ours);
    } finally {
      helper.join();
    }
  }

  private Results run(byte[] answer) {
    return with(answer, List.of(), true, helper -> helper.run(batch));
  }

  private static long descriptors() {
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void resultsAndOutputAreThoseOfTheirCalls() {
    Results results = run(reply(new long[] {7, 3}, Arrays.copyOf(new byte[] {'a', 'b', 'c'}, OUT)));
    assertThat(results.of(opened)).isEqualTo(new Descriptor.Known(7));
    assertThat(results.of(read)).isEqualTo(new byte[] {'a', 'b', 'c'});
  }

  @Test
  void aDescriptorComesBackOwned() {
    List<Integer> sent = List.of(0);
    byte[] answer = reply(new long[] {7, 0}, new byte[OUT]);
    Results results = with(answer, sent, true, helper -> helper.run(batch));
    assertThat(results.descriptors()).hasSize(1);
    results.descriptors().getFirst().close();
  }

  @Test
  void anUnexpectedFailureNamesTheCall() {
    assertThatThrownBy(() -> run(reply(new long[] {7, -9}, new byte[OUT])))
        .isInstanceOf(KernelException.class)
        .hasMessage("read(#0, <out 16>, 16): EBADF (bad file descriptor)");
    assertThatThrownBy(() -> run(reply(new long[] {-13}, new byte[OUT])))
        .hasMessageContaining("EACCES");
  }

  @Test
  void anExpectedFailureSkipsTheCallsThatNeedIt() {
    Results results = run(reply(new long[] {-2, Results.SKIPPED}, new byte[OUT]));
    assertThat(results.succeeded(opened)).isFalse();
    assertThat(results.errno(opened)).isEqualTo(2);
    assertThat(results.succeeded(read)).isFalse();
    assertThatThrownBy(() -> results.of(read)).hasMessageContaining("ECANCELED");
  }

  @Test
  void everyTruncationIsAHelperThatEnded() {
    byte[] whole = reply(new long[] {7, 3}, new byte[OUT]);
    for (int length = 0; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> run(part))
          .as("%d bytes", length)
          .isInstanceOf(HelperGoneException.class);
    }
  }

  @Test
  void impossibleLengthsAndCountsAreRefused() {
    long[] results = {7, 3};
    for (int size : new int[] {0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 39, 41, 8}) {
      assertThatThrownBy(() -> run(reply(size, 2, results, new byte[OUT])))
          .as("size %d", size)
          .isInstanceOf(HelperGoneException.class);
    }
    for (int done : new int[] {0, -1, 1, 3, Integer.MIN_VALUE, Integer.MAX_VALUE, 0x20000000}) {
      assertThatThrownBy(() -> run(reply(40, done, results, new byte[OUT])))
          .as("done %d", done)
          .isInstanceOf(HelperGoneException.class);
    }
    assertThatThrownBy(() -> run(reply(new long[] {7}, new byte[OUT])))
        .isInstanceOf(HelperGoneException.class)
        .hasMessage("the helper's answer lacks calls");
  }

  @Test
  void moreOutputThanWasAskedForIsRefused() {
    for (long value : new long[] {17, Integer.MAX_VALUE}) {
      Results results = run(reply(new long[] {7, value}, new byte[OUT]));
      assertThatThrownBy(() -> results.of(read))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("a call wrote " + value + " bytes into 16");
    }
  }

  @Test
  void garbageNeverHangsNorLeaksDescriptors() {
    long seed = Long.getLong("jrun.seed", 20260101L);
    Random random = new Random(seed);
    run(reply(new long[] {7, 3}, new byte[OUT]));
    long before = descriptors();
    for (int round = 0; round < 500; round++) {
      byte[] answer = mutated(random);
      List<Integer> sent = random.nextInt(4) == 0 ? List.of(0, 1) : List.of();
      Throwable thrown =
          catchThrowable(() -> {
            Results results = with(answer, sent, true, helper -> helper.run(batch));
            results.descriptors().forEach(OwnedDescriptor::close);
            results.of(opened);
            results.of(read);
          });
      if (thrown == null) continue;
      assertThat(thrown)
          .as("seed %d, round %d, answer %s", seed, round, Arrays.toString(answer))
          .isInstanceOfAny(
              HelperGoneException.class, KernelException.class, IllegalArgumentException.class);
    }
    assertThat(descriptors()).as("seed %d", seed).isEqualTo(before);
  }

  private static byte[] mutated(Random random) {
    byte[] answer = reply(new long[] {7, random.nextInt(20)}, new byte[OUT]);
    switch (random.nextInt(4)) {
      case 0 -> answer = Arrays.copyOf(answer, random.nextInt(80));
      case 1 -> {
        answer = new byte[random.nextInt(200)];
        random.nextBytes(answer);
      }
      case 2 ->
          ByteBuffer.wrap(answer)
              .order(ByteOrder.nativeOrder())
              .putLong(8 * random.nextInt(5), random.nextLong() >> random.nextInt(64));
      default -> {
        for (int i = random.nextInt(4); i >= 0; i--)
          answer[random.nextInt(answer.length)] = (byte) random.nextInt();
      }
    }
    return answer;
  }

  @Test
  void aHelloIsTheCommandLineAndTheEnvironment() {
    byte[] message = hello(13, 2, 1, "jrun\0run\0A=b\0");
    assertThat(with(message, List.of(), false, Helper::hello))
        .isEqualTo(new Hello(List.of("jrun", "run"), List.of("A=b")));
  }

  @Test
  void aHelloThatMakesNoSenseIsRefused() {
    List<byte[]> bad =
        List.of(
            new byte[0],
            new byte[Protocol.HELLO_SIZE],
            hello(-1, 1, 0, "a\0"),
            hello(Integer.MAX_VALUE, 1, 0, "a\0"),
            hello(2, -1, 0, "a\0"),
            hello(2, -1, 1, "a\0"),
            hello(2, Integer.MAX_VALUE, Integer.MAX_VALUE, "a\0"),
            hello(2, 2, 0, "a\0"),
            hello(3, 1, 0, "a\0"),
            hello(2, 1, 1, "a\0more\0"));
    for (byte[] message : bad) {
      assertThatThrownBy(() -> with(message, List.of(), false, Helper::hello))
          .as(Arrays.toString(message))
          .isInstanceOf(HelperGoneException.class);
    }
  }

  @Test
  void aBatchOnTheWireIsAsProtocolHSaysIt() {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1));
    Received received;
    try (Helper ours = new Helper(kernel, new OwnedDescriptor(kernel, pair.get(0)));
        theirs) {
      kernel.call(new SocketCall.Shutdown(theirs.descriptor(), 1));
      assertThatThrownBy(() -> ours.run(batch)).isInstanceOf(HelperGoneException.class);
      received = kernel.call(new SocketCall.Recvmsg(theirs.descriptor(), 1 << 16, 0));
    }
    ByteBuffer b = ByteBuffer.wrap(received.bytes()).order(ByteOrder.nativeOrder());
    assertThat(b.getInt(0)).isEqualTo(received.bytes().length);
    assertThat(b.getInt(4)).isEqualTo(2);
    assertThat(b.getInt(8)).isEqualTo(OUT);
    int second = Protocol.BATCH_SIZE + Protocol.CALL_SIZE;
    assertThat(b.getShort(Protocol.BATCH_SIZE + 4))
        .isEqualTo((short) Protocol.CALL_RETURNS_DESCRIPTOR);
    assertThat(b.getShort(Protocol.BATCH_SIZE + 6)).isEqualTo((short) Errno.ENOENT.value());
    assertThat(b.getShort(second + 2)).isEqualTo((short) Protocol.KIND_RESULT);
    assertThat(b.getLong(second + 16)).isZero();
    long out = b.getLong(second + 24) - Protocol.ARENA_BASE;
    assertThat(out).isEqualTo((received.bytes().length + 15L) / 16 * 16);
  }
}
