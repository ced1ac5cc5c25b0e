package io.jrun.kernel.wire;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Output;
import io.jrun.kernel.call.Syscall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// A helper process at the other end of a socket.
///
/// ```
///   engine                        helper
///     | batch [+ descriptors] ---->  |  performs the calls in order
///     | <---- reply [+ descriptors]  |
/// ```
public final class Helper implements HelperKernel {
  private final Kernel kernel;
  private final Frames frames;

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
  public Results run(Batch batch) {
    if (batch.isEmpty()) return new Results(List.of(), List.of(), List.of());
    return receive(batch, send(batch));
  }

  @Override
  public Started start(Batch batch) {
    Sent sent = send(batch);
    return () -> receive(batch, sent);
  }

  @Override
  public void runToEnd(Batch batch) {
    Sent sent = send(batch);
    try {
      receive(batch, sent);
    } catch (HelperGoneException e) {
      return;
    }
    throw new IllegalStateException("the batch was to end the process");
  }

  /// What the answer is read by: where each call's output lies, and how much there is of it.
  private record Sent(List<Layout.Area> areas, int outSize) {}

  private Sent send(Batch batch) {
    List<Batch.Entry> entries = batch.entries();
    if (entries.size() > Protocol.MAX_CALLS) throw new IllegalArgumentException("too many calls");
    Layout layout =
        new Layout(Protocol.ARENA_BASE, Protocol.BATCH_SIZE + entries.size() * Protocol.CALL_SIZE);
    List<Layout.Area> areas = new ArrayList<>(entries.size());
    for (int i = 0; i < entries.size(); i++) {
      Batch.Entry entry = entries.get(i);
      Syscall<?> call = entry.call();
      int at = Protocol.BATCH_SIZE + i * Protocol.CALL_SIZE;
      areas.add(layout.call(call, at + 16));
      ByteBuffer header = layout.header();
      header.putShort(at, (short) call.number().value());
      header.putShort(at + 2, (short) layout.kinds());
      header.putShort(
          at + 4, (short) (call.returnsDescriptor() ? Protocol.CALL_RETURNS_DESCRIPTOR : 0));
      if (entry.anyFailure()) header.putShort(at + 6, (short) Protocol.TOLERATE_ANY);
      int next = at + 6;
      for (Errno errno : entry.expected()) {
        header.putShort(next, (short) errno.value());
        next += 2;
      }
    }
    layout.finish();
    layout.header().putInt(0, layout.size()).putInt(4, entries.size()).putInt(8, layout.outSize());
    frames.send(layout.memory(), layout.size(), batch.passed());
    return new Sent(areas, layout.outSize());
  }

  /// The answer's size, which its number of calls determines.
  private static int replySize(ByteBuffer header, Sent sent) {
    int size = header.getInt(0);
    int done = header.getInt(4);
    if (done < 1
        || done > sent.areas().size()
        || size != Protocol.REPLY_SIZE + 8L * done + sent.outSize()) {
      throw new HelperGoneException("the helper's answer makes no sense");
    }
    return size;
  }

  private Results receive(Batch batch, Sent sent) {
    Frames.Frame reply = frames.receive(Protocol.REPLY_SIZE, header -> replySize(header, sent));
    List<Layout.Area> areas = sent.areas();
    ByteBuffer buffer = ByteBuffer.wrap(reply.bytes()).order(ByteOrder.nativeOrder());
    List<OwnedDescriptor> descriptors = new ArrayList<>();
    for (int number : reply.descriptors()) descriptors.add(new OwnedDescriptor(kernel, number));
    int done = buffer.getInt(4);
    int outStart = Protocol.REPLY_SIZE + 8 * done;
    List<Long> values = new ArrayList<>(done);
    List<Output> outputs = new ArrayList<>(done);
    for (int i = 0; i < done; i++) {
      long value = buffer.getLong(Protocol.REPLY_SIZE + 8 * i);
      values.add(value);
      outputs.add(
          new Output(reply.bytes(), outStart + areas.get(i).offset(), areas.get(i).length()));
      if (value < 0
          && value > -4096
          && value != Results.SKIPPED
          && !isExpected(batch.entries().get(i), value)) {
        descriptors.forEach(OwnedDescriptor::close);
        throw new KernelException(batch.entries().get(i).call(), Errno.of((int) -value));
      }
    }
    if (done < areas.size()) {
      descriptors.forEach(OwnedDescriptor::close);
      throw new HelperGoneException("the helper's answer lacks calls");
    }
    return new Results(values, outputs, descriptors);
  }

  private static boolean isExpected(Batch.Entry entry, long value) {
    return entry.anyFailure()
        || entry.expected().stream().anyMatch(errno -> errno.value() == -value);
  }

  @Override
  public void close() {
    frames.close();
  }
}
