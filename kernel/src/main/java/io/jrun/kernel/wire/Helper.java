package io.jrun.kernel.wire;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Output;
import io.jrun.kernel.call.Syscall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A helper process at the other end of a socket.
///
/// ```
///   engine                        helper
///     | batch [+ descriptors] ---->  |  performs the calls in order
///     | <---- reply [+ descriptors]  |
/// ```
public final class Helper implements HelperKernel {
  private static final Results NOTHING = new Results(List.of(), List.of(), List.of());

  /// What a command line with its environment usually takes.
  private static final int HELLO_BYTES = 4096;

  /// Where batches are laid out, until they are sent; most of a container's have room in it.
  private static final ThreadLocal<byte[]> LAID_OUT =
      ThreadLocal.withInitial(() -> new byte[20480]);

  private final Kernel kernel;
  private final Frames frames;
  private final ArrayDeque<Sent> unanswered = new ArrayDeque<>();
  private @Nullable KernelException broken;

  public Helper(Kernel kernel, OwnedDescriptor socket) {
    this.kernel = kernel;
    this.frames = new Frames(kernel, socket);
  }

  /// What the client was asked: the first message of its connection.
  public Hello hello() {
    byte[] message =
        frames
            .receive(
                Protocol.HELLO_SIZE,
                HELLO_BYTES,
                header -> {
                  if (header.getInt(0) != Protocol.MAGIC || header.getInt(4) != Protocol.VERSION) {
                    throw new HelperGoneException("the client speaks another protocol");
                  }
                  int size = header.getInt(8);
                  long strings =
                      Integer.toUnsignedLong(header.getInt(12))
                          + Integer.toUnsignedLong(header.getInt(16));
                  if (size < 0 || size > Protocol.ARENA_SIZE || strings > size) {
                    throw new HelperGoneException("the client's message makes no sense");
                  }
                  return Protocol.HELLO_SIZE + size;
                })
            .bytes();
    ByteBuffer header = ByteBuffer.wrap(message).order(ByteOrder.nativeOrder());
    int argc = header.getInt(12);
    int envc = header.getInt(16);
    List<String> strings = new ArrayList<>(argc + envc);
    int start = Protocol.HELLO_SIZE;
    for (int at = start; at < message.length && strings.size() < argc + envc; at++) {
      if (message[at] != 0) continue;
      strings.add(new String(message, start, at - start, StandardCharsets.UTF_8));
      start = at + 1;
    }
    if (strings.size() < argc + envc)
      throw new HelperGoneException("the client's message is short");
    return new Hello(strings.subList(0, argc), strings.subList(argc, argc + envc));
  }

  @Override
  public Reply send(Batch batch) {
    if (batch.isEmpty() && unanswered.isEmpty()) return () -> NOTHING;
    return transmit(batch, false);
  }

  @Override
  public Reply sendToEnd(Batch batch) {
    return transmit(batch, true);
  }

  /// A batch on its way: where each call's output lies in the answer, and how much there is of it.
  private final class Sent implements Reply {
    private final List<Batch.Entry> entries;
    private final List<Layout.Area> areas;
    private final int outSize;
    private final boolean last;
    private @Nullable Results results;
    private @Nullable RuntimeException failure;

    Sent(List<Batch.Entry> entries, List<Layout.Area> areas, int outSize, boolean last) {
      this.entries = entries;
      this.areas = areas;
      this.outSize = outSize;
      this.last = last;
    }

    @Override
    public Results await() {
      while (results == null && failure == null) receiveNext();
      if (failure != null) throw failure;
      return java.util.Objects.requireNonNull(results);
    }

    /// The answer's largest size.
    int mostBytes() {
      return Protocol.REPLY_SIZE + 8 * areas.size() + outSize;
    }
  }

  private Sent transmit(Batch batch, boolean last) {
    List<Batch.Entry> entries = batch.entries();
    if (entries.size() > Protocol.MAX_CALLS) throw new IllegalArgumentException("too many calls");
    Layout layout =
        new Layout(
            Protocol.ARENA_BASE,
            Protocol.BATCH_SIZE + entries.size() * Protocol.CALL_SIZE,
            LAID_OUT.get());
    List<Layout.Area> areas = new ArrayList<>(entries.size());
    for (int i = 0; i < entries.size(); i++) {
      Batch.Entry entry = entries.get(i);
      Syscall<?> call = entry.call();
      int at = Protocol.BATCH_SIZE + i * Protocol.CALL_SIZE;
      areas.add(layout.call(call, at + 16));
      layout.putShort(at, call.number().value());
      layout.putShort(at + 2, layout.kinds());
      layout.putShort(at + 4, call.returnsDescriptor() ? Protocol.CALL_RETURNS_DESCRIPTOR : 0);
      if (entry.anyFailure()) layout.putShort(at + 6, Protocol.TOLERATE_ANY);
      List<Errno> expected = entry.expected();
      for (int e = 0; e < expected.size(); e++)
        layout.putShort(at + 6 + 2 * e, expected.get(e).value());
      Batch.Guard guard = entry.guard();
      if (guard != null) {
        layout.putShort(at + 12, guard.index() + 1);
        layout.putShort(at + 14, guard.errno() == null ? 0 : guard.errno().value());
      }
    }
    layout.finish();
    layout.putInt(0, layout.size());
    layout.putInt(4, entries.size());
    layout.putInt(8, layout.outSize());
    layout.putInt(12, unanswered.isEmpty() ? 0 : Protocol.BATCH_CHAINED);
    frames.send(layout.memory(), layout.size(), batch.passed());
    Sent sent = new Sent(entries, areas, layout.outSize(), last);
    unanswered.add(sent);
    return sent;
  }

  /// Receives the answer to the oldest batch. What was sent behind one that failed is skipped by
  /// the helper, which still answers: it fails for the same reason.
  private void receiveNext() {
    Sent sent = unanswered.remove();
    try {
      sent.results = receive(sent);
      broken = null;
    } catch (HelperGoneException e) {
      if (sent.last) sent.results = NOTHING;
      else sent.failure = e;
    } catch (SkippedException e) {
      sent.failure =
          broken == null ? new HelperGoneException("the helper skipped a batch") : broken;
    } catch (KernelException e) {
      sent.failure = e;
      broken = e;
    }
  }

  /// The batch was not performed, as one before it failed.
  private static final class SkippedException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /// The answer's size, which its number of calls determines.
  private static int replySize(ByteBuffer header, Sent sent) {
    int size = header.getInt(0);
    int done = header.getInt(4);
    if (done < 0
        || done > sent.areas.size()
        || size != Protocol.REPLY_SIZE + 8L * done + sent.outSize) {
      throw new HelperGoneException("the helper's answer makes no sense");
    }
    return size;
  }

  private Results receive(Sent sent) {
    Frames.Frame reply =
        frames.receive(Protocol.REPLY_SIZE, sent.mostBytes(), header -> replySize(header, sent));
    ByteBuffer buffer = ByteBuffer.wrap(reply.bytes()).order(ByteOrder.nativeOrder());
    List<OwnedDescriptor> descriptors = new ArrayList<>(reply.descriptors().size());
    for (int number : reply.descriptors()) descriptors.add(new OwnedDescriptor(kernel, number));
    int done = buffer.getInt(4);
    int outStart = Protocol.REPLY_SIZE + 8 * done;
    Long[] values = new Long[done];
    Output[] outputs = new Output[done];
    for (int i = 0; i < done; i++) {
      long value = buffer.getLong(Protocol.REPLY_SIZE + 8 * i);
      Layout.Area area = sent.areas.get(i);
      values[i] = value;
      outputs[i] =
          area.length() == 0
              ? Output.NONE
              : new Output(reply.bytes(), outStart + area.offset(), area.length());
      if (value < 0
          && value > -4096
          && value != Results.SKIPPED
          && !isExpected(sent.entries.get(i), value)) {
        descriptors.forEach(OwnedDescriptor::close);
        throw sent.entries.get(i).failure(Errno.of((int) -value));
      }
    }
    if (done < sent.areas.size()) {
      descriptors.forEach(OwnedDescriptor::close);
      if (done == 0) throw new SkippedException();
      throw new HelperGoneException("the helper's answer lacks calls");
    }
    if (sent.last) throw new IllegalStateException("the batch was to end the process");
    return new Results(List.of(values), List.of(outputs), descriptors);
  }

  private static boolean isExpected(Batch.Entry entry, long value) {
    return entry.anyFailure()
        || entry.expected().stream().anyMatch(errno -> errno.value() == -value);
  }

  @Override
  public HelperKernel over(OwnedDescriptor socket) {
    return new Helper(kernel, socket);
  }

  @Override
  public void close() {
    frames.close();
  }
}
