package io.jrun.rootfs.pack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.codec.DirectOutput;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/// A file that the caller names, written aside and then given its name; `-` is standard output. A
/// special file is written itself.
public final class OutputFile extends DirectOutput {
  private final CallerFiles caller;
  private final String path;
  private final String temporary;
  private final OwnedDescriptor file;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
  private boolean done;

  private OutputFile(CallerFiles caller, String path, String temporary, OwnedDescriptor file) {
    this.caller = caller;
    this.path = path;
    this.temporary = temporary;
    this.file = file;
  }

  public static OutputFile create(CallerFiles caller, String path) {
    if (path.equals("-")) return new OutputFile(caller, path, "", caller.standardOutput());
    if (isSpecial(caller, path)) {
      return new OutputFile(caller, path, "", open(caller, path, path, 0));
    }
    byte[] random = new byte[6];
    ThreadLocalRandom.current().nextBytes(random);
    int slash = path.lastIndexOf('/');
    String temporary =
        path.substring(0, slash + 1)
            + "."
            + path.substring(slash + 1)
            + ".jrun-"
            + HexFormat.of().formatHex(random);
    int flags = FileCall.O_CREAT | FileCall.O_EXCL;
    return new OutputFile(caller, path, temporary, open(caller, path, temporary, flags));
  }

  /// Whether a device, FIFO or socket has the name, which must not become a file.
  private static boolean isSpecial(CallerFiles caller, String path) {
    Batch batch = new Batch();
    Pending<Stat> stat = batch.attempt(new FileCall.Statx(Descriptor.CWD, path, 0));
    Results results = caller.helper().run(batch);
    if (!results.succeeded(stat)) return false; // whoever opens it says what is wrong
    int type = results.of(stat).mode() & Stat.S_IFMT;
    return type != Stat.S_IFREG && type != Stat.S_IFDIR;
  }

  /// @param named what the caller named
  private static OwnedDescriptor open(CallerFiles caller, String named, String path, int flags) {
    int all = FileCall.O_WRONLY | FileCall.O_CLOEXEC | flags;
    Batch batch = new Batch();
    Pending<Descriptor> opened =
        batch.add(new FileCall.Openat(Descriptor.CWD, path, all, 0666, true));
    try {
      return caller.helper().take(batch, opened);
    } catch (KernelException e) {
      throw failure(named, e);
    }
  }

  private static RootfsException failure(String path, KernelException e) {
    String what = path.equals("-") ? "standard output" : path;
    return new RootfsException(
        "writing " + what + ": " + e.errno().name() + " (" + e.errno().text() + ")", e);
  }

  @Override
  public void write(int b) {
    if (!buffer.hasRemaining()) flush();
    buffer.put((byte) b);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    while (length > 0) {
      if (!buffer.hasRemaining()) flush();
      int part = Math.min(length, buffer.remaining());
      buffer.put(bytes, offset, part);
      offset += part;
      length -= part;
    }
  }

  @Override
  public void write(ByteBuffer direct) {
    flush();
    writeAll(direct);
    direct.position(direct.limit());
  }

  @Override
  public void flush() {
    writeAll(buffer.flip());
    buffer.clear();
  }

  private void writeAll(ByteBuffer direct) {
    long address = MemorySegment.ofBuffer(direct).address();
    long left = direct.remaining();
    while (left > 0) {
      try {
        long written =
            caller.kernel().call(new TreeCall.WriteFrom(file.descriptor(), address, left));
        address += written;
        left -= written;
      } catch (KernelException e) {
        if (!e.errno().equals(Errno.EINTR)) throw failure(path, e);
      }
    }
  }

  /// Gives the file its name.
  public void complete() {
    flush();
    if (!temporary.isEmpty()) {
      try {
        caller
            .helper()
            .call(new FileCall.Renameat2(Descriptor.CWD, temporary, Descriptor.CWD, path, 0));
      } catch (KernelException e) {
        throw failure(path, e);
      }
    }
    done = true;
  }

  /// Removes what was not completed.
  @Override
  public void close() {
    file.close();
    if (!done && !temporary.isEmpty()) {
      caller.helper().call(new FileCall.Unlinkat(Descriptor.CWD, temporary, 0));
      done = true;
    }
  }
}
