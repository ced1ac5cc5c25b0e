package io.jrun.runtime.container;

import static io.jrun.kernel.call.FileCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.Stat;
import io.jrun.specs.runtime.ConsoleSize;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// A container's terminal: made in its own devpts, verified to be that (CVE-2025-52565), its master
/// handed to the foreground client or over the console socket.
final class Console {
  private static final long DEVPTS_MAGIC = 0x1cd1;
  private static final int TERMIOS = 36;
  private static final int OFLAG = 4;
  private static final int ONLCR = 4;

  /// @param master in the engine
  /// @param terminal in the container's process
  record Pair(OwnedDescriptor master, Descriptor terminal) {}

  private Console() {}

  /// Opens a pair in the process, `root` being the container's.
  static Pair open(HelperKernel process, Descriptor root, @Nullable ConsoleSize size) {
    Batch batch = new Batch();
    Pending<Descriptor> master =
        batch.add(
            new FileCall.Openat2(
                root, "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0, RESOLVE_IN_ROOT, true));
    Pending<Long> magic = batch.add(new FileCall.Fstatfs(master.descriptor()));
    Pending<Stat> stat = batch.add(new FileCall.Statx(master.descriptor(), "", AT_EMPTY_PATH));
    batch.add(new IoctlCall.IoctlWrite(master.descriptor(), IoctlCall.TIOCSPTLCK, new byte[4]));
    Pending<Integer> peer =
        batch.add(
            new IoctlCall.Ioctl(
                master.descriptor(), IoctlCall.TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC, false));
    if (size != null) {
      ByteBuffer window = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
      window.putShort((short) size.height()).putShort((short) size.width());
      batch.add(
          new IoctlCall.IoctlWrite(master.descriptor(), IoctlCall.TIOCSWINSZ, window.array()));
    }
    Results results = process.run(batch);
    OwnedDescriptor ours = results.descriptors().getFirst();
    try {
      Stat file = results.of(stat);
      if (results.of(magic) != DEVPTS_MAGIC || !file.isCharacterDevice(5, 2) || file.inode() != 2)
        throw new ContainerException(
            "/dev/pts/ptmx of the container is not a terminal multiplexer");
      process.call(new FileCall.Close(results.of(master)));
    } catch (RuntimeException e) {
      ours.close();
      throw e;
    }
    return new Pair(ours, new Descriptor.Known(results.of(peer)));
  }

  /// Makes the terminal the process's controlling one and its stdio.
  static void attach(Batch batch, Descriptor terminal, long uid, long gid) {
    batch.add(new IoctlCall.Ioctl(terminal, IoctlCall.TIOCSCTTY, 0, false));
    if (uid != 0) batch.add(new FileCall.Fchownat(terminal, "", (int) uid, -1, AT_EMPTY_PATH));
    for (int fd = 0; fd < 3; fd++) batch.add(new DescriptorCall.Dup3(terminal, fd, 0));
    batch.add(new FileCall.Close(terminal));
  }

  /// Sends the master to whoever listens on the console socket, the name as the message.
  static void send(HelperKernel client, String path, OwnedDescriptor master) {
    DescriptorSocket.pass(client, path, "/dev/ptmx", master);
  }

  /// Before the client relays between the container's terminal and its own: puts its own into raw
  /// mode, but for the output, of which the container's makes no CR LF then. Who gets the master
  /// over a socket finds it as it was made.
  ///
  /// @return what the client's was, empty where its stdin is none
  static byte[] raw(Kernel kernel, HelperKernel client, OwnedDescriptor master) {
    byte[] own =
        kernel.call(new IoctlCall.IoctlRead(master.descriptor(), IoctlCall.TCGETS, TERMIOS));
    ByteBuffer output = ByteBuffer.wrap(own).order(ByteOrder.nativeOrder());
    output.putInt(OFLAG, output.getInt(OFLAG) & ~ONLCR);
    kernel.call(new IoctlCall.IoctlWrite(master.descriptor(), IoctlCall.TCSETS, own));
    Batch ask = new Batch();
    Pending<byte[]> termios =
        ask.attempt(new IoctlCall.IoctlRead(Descriptor.STDIN, IoctlCall.TCGETS, TERMIOS));
    Results results = client.run(ask);
    if (!results.succeeded(termios)) return new byte[0];
    byte[] before = results.of(termios);
    ByteBuffer modes = ByteBuffer.wrap(before.clone()).order(ByteOrder.nativeOrder());
    // cfmakeraw(3), but output is processed on
    modes.putInt(0, modes.getInt(0) & ~(0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x100 | 0x400));
    modes.putInt(8, modes.getInt(8) & ~(0x30 | 0x100) | 0x30);
    modes.putInt(12, modes.getInt(12) & ~(0x8 | 0x40 | 0x2 | 0x1 | 0x8000));
    client.call(new IoctlCall.IoctlWrite(Descriptor.STDIN, IoctlCall.TCSETS, modes.array()));
    return before;
  }

  /// Undoes [#raw].
  static void restore(HelperKernel client, byte[] termios) {
    if (termios.length > 0)
      client.call(new IoctlCall.IoctlWrite(Descriptor.STDIN, IoctlCall.TCSETS, termios));
  }
}
