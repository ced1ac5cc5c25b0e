package io.jrun.rootfs.pack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.codec.DirectOutput;
import io.jrun.rootfs.stream.CarriedFile;
import io.jrun.rootfs.stream.Window;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/// An archive in the making, laid out in a window slot by slot: the engine writes the headers, the
/// process that reads the tree puts the content of files right behind them, and a thread gives the
/// slots that are complete to the output, in their order.
///
/// ```
///   packer             process            output thread
///     | headers           |                   |
///     | batch of reads ──▶| content           |
///     | next slot …       |                   |
///     | ◀── answers ──────|                   |
///     | complete slot ───────────────────────▶| compresses, hashes, writes
///     | ◀─────────────────────── a free slot ─|
/// ```
final class ArchiveWindow extends OutputStream {
  private static final int CALLS = 600;
  private static final int UNDER_WAY = 6;
  private static final Slot END = new Slot(-1, ByteBuffer.allocate(0));

  private record Slot(int number, ByteBuffer bytes) {}

  private record Read(
      Pending<Long> call, TreeReader tree, String path, ByteBuffer into, long offset) {}

  /// @param completes the slot that has all its content then; null where more is to come
  private record Sent(@Nullable Reply reply, List<Read> reads, @Nullable Slot completes) {}

  private final HelperKernel process;
  private final Window window;
  private final DirectOutput out;
  private final CarriedFile carried;
  private final ArrayDeque<Sent> underWay = new ArrayDeque<>();
  private final BlockingQueue<Integer> free = new ArrayBlockingQueue<>(Window.SLOTS);
  private final BlockingQueue<Slot> complete = new ArrayBlockingQueue<>(Window.SLOTS + 1);
  private final Thread thread;
  private volatile @Nullable Exception failure;
  private Batch batch = new Batch();
  private List<Read> reads = new ArrayList<>();
  private @Nullable Slot current;

  ArchiveWindow(Kernel kernel, HelperKernel process, DirectOutput out) {
    this.process = process;
    this.out = out;
    carried = new CarriedFile(process);
    window = new Window(kernel);
    window.mapToFill(process);
    for (int i = 0; i < Window.SLOTS; i++) free.add(i);
    thread = Thread.ofPlatform().name("archive").daemon(true).start(this::give);
  }

  private void give() {
    try {
      for (Slot slot = complete.take(); slot != END; slot = complete.take()) {
        if (failure == null) give(slot);
        free.add(slot.number());
      }
    } catch (InterruptedException e) {
      // closed: nobody wants the rest
    }
  }

  private void give(Slot slot) {
    try {
      out.write(slot.bytes());
    } catch (IOException | RuntimeException e) {
      failure = e;
    }
  }

  private void check() throws IOException {
    Exception thrown = failure;
    if (thrown instanceof IOException e) throw e;
    if (thrown instanceof RuntimeException e) throw e;
  }

  /// A slot with room in it.
  private ByteBuffer room() throws IOException {
    Slot slot = current;
    if (slot != null && slot.bytes().hasRemaining()) return slot.bytes();
    if (slot != null) send(slot);
    check();
    while (free.isEmpty() && await()) {}
    try {
      int number = free.take();
      current = slot = new Slot(number, window.slot(number));
      return slot.bytes();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RootfsException("interrupted");
    }
  }

  @Override
  public void write(int b) throws IOException {
    room().put((byte) b);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    while (length > 0) {
      ByteBuffer into = room();
      int part = Math.min(length, into.remaining());
      into.put(bytes, offset, part);
      offset += part;
      length -= part;
    }
  }

  /// Lays out the content of a file of that size.
  void content(TreeReader tree, String path, long size) throws IOException {
    if (batch.size() > CALLS) send(null);
    room(); // which may send the batch, so before the file is opened in it
    Descriptor file =
        batch.add(tree.open(path, FileCall.O_RDONLY | FileCall.O_NONBLOCK, false)).descriptor();
    boolean isCarried = false;
    for (long at = 0; at < size; ) {
      ByteBuffer into = room();
      Slot slot = Objects.requireNonNull(current);
      int part = (int) Math.min(size - at, into.remaining());
      long address = Window.address(slot.number()) + into.position();
      reads.add(
          new Read(
              batch.add(new TreeCall.PreadInto(file, address, part, at)),
              tree,
              path,
              into.slice(into.position(), part),
              at));
      into.position(into.position() + part);
      at += part;
      if (at < size && !isCarried) {
        file = carried.carry(batch, file);
        isCarried = true;
      }
    }
    if (isCarried) carried.close(batch);
    else batch.add(new FileCall.Close(file));
  }

  private void send(@Nullable Slot completed) {
    while (underWay.size() >= UNDER_WAY) await();
    if (completed != null) completed.bytes().flip();
    underWay.add(new Sent(batch.isEmpty() ? null : process.send(batch), reads, completed));
    batch = new Batch();
    reads = new ArrayList<>();
  }

  /// Waits for the oldest batch that is under way; false where none is.
  private boolean await() {
    Sent sent = underWay.poll();
    if (sent == null) return false;
    if (sent.reply() != null) {
      Results results = sent.reply().await();
      for (Read read : sent.reads()) {
        long count = results.of(read.call());
        if (count < read.into().remaining()) readOn(read, (int) count);
      }
    }
    if (sent.completes() != null) complete.add(sent.completes());
    return true;
  }

  /// Reads what one call did not give, as a file system in user space may do.
  private void readOn(Read read, int count) {
    ByteBuffer into = read.into();
    Descriptor file =
        process.call(read.tree().open(read.path(), FileCall.O_RDONLY | FileCall.O_NONBLOCK, false));
    while (into.position(into.position() + count).hasRemaining()) {
      byte[] bytes =
          process.call(
              new FileCall.Pread(
                  file, Math.min(into.remaining(), 1 << 16), read.offset() + into.position()));
      if (bytes.length == 0) {
        throw new RootfsException(read.path() + ": it became shorter meanwhile");
      }
      into.put(into.position(), bytes);
      count = bytes.length;
    }
    process.call(new FileCall.Close(file));
  }

  /// Gives all to the output and waits until it has been taken.
  void finish() throws IOException {
    if (current != null) send(current);
    while (await()) {}
    complete.add(END);
    join();
    check();
  }

  private void join() {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RootfsException("interrupted");
    }
  }

  /// Frees the memory, when nothing writes it any more: the thread is waited for, and the process
  /// has a mapping of its own.
  @Override
  public void close() {
    thread.interrupt();
    join();
    window.close();
  }
}
