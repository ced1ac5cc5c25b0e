package io.jrun.kernel.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Reply;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.host.HostKernel;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The real helper with a hostile or a dying engine, and as the monitor of a process.
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HelperIT {
  private static final String GONE = "jrun: the engine closed the connection\n";
  private static final String GONE_EARLY =
      "jrun: the engine closed the connection before it did anything\n";
  private static final int MASTER = 201;

  private final HostKernel kernel = new HostKernel();

  @TempDir private Path directory;

  private RealHelper start() throws Exception {
    return new RealHelper(kernel, directory);
  }

  private static void assertEnds(RealHelper real, int status, String error) throws Exception {
    assertThat(real.process.waitFor(20, TimeUnit.SECONDS)).as("the helper ends").isTrue();
    InputStream stderr = real.process.getErrorStream();
    // not to its end, which a forked helper that lives on would keep away
    byte[] said = stderr.readNBytes(error.length());
    assertThat(new String(said, StandardCharsets.UTF_8)).isEqualTo(error);
    assertThat(stderr.available()).as("what else it said").isZero();
    assertThat(real.process.exitValue()).isEqualTo(status);
  }

  private void send(OwnedDescriptor socket, byte[] bytes) {
    kernel.call(
        new SocketCall.Sendmsg(socket.descriptor(), bytes, List.of(), SocketCall.MSG_NOSIGNAL));
  }

  private static byte[] header(int size, int calls, int outSize, int flags) {
    return ByteBuffer.allocate(Protocol.BATCH_SIZE)
        .order(ByteOrder.nativeOrder())
        .putInt(size)
        .putInt(calls)
        .putInt(outSize)
        .putInt(flags)
        .array();
  }

  /// Gives a helper that has performed a batch these bytes, and asserts that it hangs up and ends.
  private void assertRefused(byte[] message, boolean hangUp) throws Exception {
    try (RealHelper real = start();
        OwnedDescriptor socket = real.accept()) {
      kernel.call(new SocketCall.Recvmsg(socket.descriptor(), 1 << 16, 0));
      send(socket, header(Protocol.BATCH_SIZE, 0, 0, 0));
      assertThat(kernel.call(new SocketCall.Recvmsg(socket.descriptor(), 64, 0)).bytes())
          .hasSize(Protocol.REPLY_SIZE);
      if (message.length > 0) send(socket, message);
      if (hangUp) kernel.call(new SocketCall.Shutdown(socket.descriptor(), 1));
      assertThat(kernel.call(new SocketCall.Recvmsg(socket.descriptor(), 64, 0)).bytes()).isEmpty();
      assertEnds(real, 1, GONE);
    }
  }

  @Test
  void everyTruncationOfABatchEndsTheHelper() throws Exception {
    byte[] whole = new byte[Protocol.BATCH_SIZE + Protocol.CALL_SIZE];
    System.arraycopy(header(whole.length, 1, 0, 0), 0, whole, 0, Protocol.BATCH_SIZE);
    for (int length = 0; length < whole.length; length += length < 20 ? 1 : 13)
      assertRefused(java.util.Arrays.copyOf(whole, length), true);
  }

  @Test
  void impossibleSizesAndCountsEndTheHelper() throws Exception {
    int size = Protocol.BATCH_SIZE;
    List<byte[]> bad = new ArrayList<>();
    for (int wrong : new int[] {0, size - 1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE})
      bad.add(header(wrong, 0, 0, 0));
    for (int calls : new int[] {1, -1, Protocol.MAX_CALLS + 1, Integer.MIN_VALUE, 0x04000000})
      bad.add(header(size, calls, 0, 0));
    for (int out : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, (int) Protocol.ARENA_SIZE})
      bad.add(header(size, 0, out, 0));
    bad.add(header(size + Protocol.CALL_SIZE - 1, 1, 0, 0));
    for (byte[] message : bad) assertRefused(message, false);
  }

  @Test
  void anEngineThatHangsUpBeforeAnythingIsAskedAgainThenGivenUp() throws Exception {
    try (RealHelper real = start()) {
      int connections = 0;
      while (real.process.isAlive()) {
        if (kernel.call(new DescriptorCall.Poll(real.listener.descriptor(), 1, 20)) == 0) continue;
        real.accept().close();
        connections++;
      }
      assertThat(connections).isBetween(2, 20);
      assertEnds(real, 1, GONE_EARLY);
    }
  }

  @Test
  void anEngineThatNeverReadsTheAnswerDoesNotKillTheHelperBySignal() throws Exception {
    try (RealHelper real = start();
        Helper helper = real.connect()) {
      Batch batch = new Batch();
      Descriptor zero =
          batch
              .add(
                  new FileCall.Openat(
                      Descriptor.CWD,
                      "/dev/zero",
                      FileCall.O_RDONLY | FileCall.O_CLOEXEC,
                      0,
                      false))
              .descriptor();
      batch.add(new FileCall.Read(zero, 4 << 20));
      helper.send(batch);
      helper.close();
      assertEnds(real, 1, GONE);
    }
  }

  @Test
  void aForkedHelperEndsWithItsSocketInEveryState() throws Exception {
    try (RealHelper real = start();
        Helper helper = real.connect()) {
      // before anything, and after a batch
      for (int batches = 0; batches < 2; batches++) {
        RealHelper.Child child = real.fork(helper);
        for (int i = 0; i < batches; i++) child.helper().call(new ProcessCall.Getpid());
        child.helper().close();
        assertThat(helper.call(new ProcessCall.Wait4(child.pid(), 0))).isEqualTo(1 << 8);
      }
      // it holds none of its parent's sockets: the parent's end is seen although it lives
      RealHelper.Child child = real.fork(helper);
      helper.close();
      assertEnds(real, 1, GONE);
      assertThat(child.helper().call(new ProcessCall.Getpid())).isEqualTo(child.pid());
      child.helper().close();
    }
  }

  @Test
  void descriptorsThatAreClosedByTheBatchDoNotStay() throws Exception {
    try (RealHelper real = start();
        Helper helper = real.connect()) {
      long before = descriptors(real);
      for (int i = 0; i < 50; i++) {
        Batch batch = new Batch();
        try (OwnedDescriptor passed = nothing(real)) {
          batch.add(new FileCall.Close(batch.pass(passed)));
          helper.run(batch);
        }
        RealHelper.Child child = real.fork(helper);
        child.helper().close();
        helper.call(new ProcessCall.Wait4(child.pid(), 0));
      }
      assertThat(descriptors(real)).isEqualTo(before);
      for (Path fd : list(real))
        assertThat(flags(real, fd)).as("%s is close-on-exec", fd).matches(f -> (f & 02000000) != 0);
    }
  }

  private OwnedDescriptor nothing(RealHelper real) {
    return real.owned(
        kernel.call(
            new FileCall.Openat(
                Descriptor.CWD, "/dev/null", FileCall.O_RDWR | FileCall.O_CLOEXEC, 0, true)));
  }

  private static List<Path> list(RealHelper real) throws Exception {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + real.process.pid() + "/fd"))) {
      return all.filter(path -> Integer.parseInt(path.getFileName().toString()) > 2).toList();
    }
  }

  private static long descriptors(RealHelper real) throws Exception {
    return list(real).size();
  }

  private static int flags(RealHelper real, Path fd) {
    try {
      String info =
          Files.readString(Path.of("/proc/" + real.process.pid() + "/fdinfo/" + fd.getFileName()));
      return Integer.parseInt(info.lines().toList().get(1).split("\\s+")[1], 8);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Reply monitor(Helper helper, int pid) {
    Batch batch = new Batch();
    batch.add(new PseudoCall.Monitor(pid, Descriptor.NONE, new byte[0]));
    return helper.send(batch);
  }

  @Test
  void theMonitorForwardsSignals() throws Exception {
    try (RealHelper real = start();
        Helper helper = real.connect()) {
      String script =
          "trap 'exit 41' TERM; trap 'echo hup' HUP; echo ready; while :; do sleep 0.02; done";
      RealHelper.Child child = real.shell(helper, script, batch -> {});
      Reply ended = monitor(helper, child.pid());
      var out = real.process.inputReader();
      assertThat(out.readLine()).isEqualTo("ready");
      signal(real, "HUP");
      assertThat(out.readLine()).isEqualTo("hup");
      signal(real, "TERM");
      ended.await();
      Batch last = new Batch();
      last.add(new ProcessCall.ExitGroup(5));
      helper.runToEnd(last);
      assertEnds(real, 5, "");
    }
  }

  private static void signal(RealHelper real, String name) throws Exception {
    new ProcessBuilder("kill", "-" + name, Long.toString(real.process.pid())).start().waitFor();
  }

  @Test
  void theMonitorKeepsTheStatusWhenItsEngineDies() throws Exception {
    for (String[] expected : new String[][] {{"exit 9", "9"}, {"kill -KILL $$", "137"}}) {
      try (RealHelper real = start();
          Helper helper = real.connect()) {
        RealHelper.Child child = real.shell(helper, "read x; " + expected[0], batch -> {});
        Reply ended = monitor(helper, child.pid());
        helper.close();
        assertThat(real.process.isAlive()).isTrue();
        real.process.getOutputStream().close();
        assertEnds(real, Integer.parseInt(expected[1]), "");
        assertThat(org.assertj.core.api.Assertions.catchThrowable(ended::await)).isNotNull();
      }
    }
  }

  /// Runs a shell on a raw terminal that the helper relays, and returns the answer to come.
  private Reply onTerminal(RealHelper real, Helper helper, String script) {
    int flags = FileCall.O_RDWR | FileCall.O_NOCTTY | FileCall.O_CLOEXEC;
    try (OwnedDescriptor master =
            real.owned(
                kernel.call(new FileCall.Openat(Descriptor.CWD, "/dev/ptmx", flags, 0, true)));
        OwnedDescriptor terminal = terminal(real, master)) {
      RealHelper.Child child =
          real.shell(
              helper,
              script,
              batch -> {
                Descriptor passed = batch.pass(terminal);
                batch.add(new CredentialCall.Setsid());
                for (int fd = 0; fd < 3; fd++) batch.add(new DescriptorCall.Dup3(passed, fd, 0));
              });
      Batch batch = new Batch();
      Descriptor passed = batch.pass(master);
      batch.add(new DescriptorCall.Dup3(passed, MASTER, FileCall.O_CLOEXEC));
      batch.add(new FileCall.Close(passed));
      batch.add(new PseudoCall.Monitor(child.pid(), new Descriptor.Known(MASTER), new byte[0]));
      batch.add(new FileCall.Close(new Descriptor.Known(MASTER)));
      return helper.send(batch);
    }
  }

  private OwnedDescriptor terminal(RealHelper real, OwnedDescriptor master) {
    kernel.call(new IoctlCall.IoctlWrite(master.descriptor(), IoctlCall.TIOCSPTLCK, new byte[4]));
    OwnedDescriptor terminal =
        real.owned(
            new Descriptor.Known(
                kernel.call(
                    new IoctlCall.Ioctl(
                        master.descriptor(),
                        IoctlCall.TIOCGPTPEER,
                        FileCall.O_RDWR | FileCall.O_NOCTTY | FileCall.O_CLOEXEC,
                        false))));
    // struct termios: no processing either way, 8 bits, one byte is enough for a read
    ByteBuffer raw = ByteBuffer.allocate(36).order(ByteOrder.nativeOrder());
    raw.putInt(8, 0xbf);
    raw.put(17 + 6, (byte) 1);
    kernel.call(new IoctlCall.IoctlWrite(terminal.descriptor(), IoctlCall.TCSETS, raw.array()));
    return terminal;
  }

  @Test
  void aTerminalCarriesMuchInBothDirections() throws Exception {
    byte[] sent = new byte[1 << 20];
    new Random(20260101).nextBytes(sent);
    try (RealHelper real = start();
        Helper helper = real.connect()) {
      Reply ended = onTerminal(real, helper, "head -c " + sent.length);
      Thread writer =
          Thread.ofPlatform()
              .start(() -> {
                try (OutputStream in = real.process.getOutputStream()) {
                  in.write(sent);
                } catch (java.io.IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      byte[] got = real.process.getInputStream().readNBytes(sent.length);
      writer.join();
      ended.await();
      assertThat(got).isEqualTo(sent);
    }
  }

  @Test
  void aReaderThatStopsLosesNothing() throws Exception {
    int size = 3_000_000;
    try (RealHelper real = start();
        Helper helper = real.connect()) {
      Reply ended = onTerminal(real, helper, "head -c " + size + " /dev/zero | tr '\\0' x; exit 3");
      Thread.sleep(300); // everything between is full now
      assertThat(real.process.isAlive()).isTrue();
      byte[] got = real.process.getInputStream().readNBytes(size);
      assertThat(got).hasSize(size);
      assertThat(got).containsOnly('x');
      ended.await();
    }
  }

  @Test
  void aReaderThatIsGoneDoesNotHoldTheContainer() throws Exception {
    try (RealHelper real = start();
        Helper helper = real.connect()) {
      Reply ended = onTerminal(real, helper, "head -c 3000000 /dev/zero; exit 3");
      real.process.getInputStream().close();
      assertThat(ended.await().values().get(2)).isEqualTo(3L << 8);
    }
  }

  @Test
  void aHelperThatDiesIsToldOfAtOnce() throws Exception {
    try (RealHelper real = start();
        Helper helper = real.connect()) {
      real.process.destroyForcibly().waitFor();
      assertThat(
              org.assertj.core.api.Assertions.catchThrowable(
                  () -> helper.call(new ProcessCall.Getpid())))
          .isInstanceOf(HelperGoneException.class);
    }
  }
}
