package io.jrun.kernel.trace;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Errno;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/// A helper, with each call of each batch told. A batch is timed as a whole, as its calls are not
/// answered one by one.
public final class TracedHelper implements HelperKernel {
  private final String name;
  private final HelperKernel helper;
  private final Trace trace;

  /// What nobody has waited for yet: it is told before what came later.
  private final Deque<Sent> sent = new ArrayDeque<>();

  /// @param name of the process
  public TracedHelper(String name, HelperKernel helper, Trace trace) {
    this.name = name;
    this.helper = helper;
    this.trace = trace;
  }

  private record Sent(Batch batch, Reply reply, long start) {}

  @Override
  public Reply send(Batch batch) {
    trace.begin(name);
    Sent last = new Sent(batch, helper.send(batch), System.nanoTime());
    sent.add(last);
    return () -> {
      while (sent.contains(last) && sent.peek() != last) await(sent.remove());
      sent.remove(last);
      return await(last);
    };
  }

  private Results await(Sent next) {
    try {
      Results results = next.reply().await();
      tell(next.batch(), results, next.start());
      return results;
    } catch (KernelException e) {
      tell(next.batch(), e, next.start());
      throw e;
    } finally {
      trace.end(name);
    }
  }

  /// What ends the process has no results, so it is told when it is sent.
  @Override
  public Reply sendToEnd(Batch batch) {
    List<Batch.Entry> entries = batch.entries();
    for (int i = 0; i < entries.size(); i++) tell(i, entries.get(i), "");
    Reply reply = helper.sendToEnd(batch);
    return () -> {
      while (!sent.isEmpty()) await(sent.remove());
      try {
        return reply.await();
      } catch (KernelException e) {
        trace.add(name + ": " + e.getMessage());
        throw e;
      }
    };
  }

  private void tell(Batch batch, Results results, long start) {
    List<Batch.Entry> entries = batch.entries();
    for (int i = 0; i < entries.size(); i++) {
      Pending<?> pending = new Pending<>(i, entries.get(i).call());
      int errno = results.errno(pending);
      String result =
          results.succeeded(pending)
              ? ResultText.of(results.of(pending))
              : errno == -Results.SKIPPED ? "skipped" : error(errno);
      tell(i, entries.get(i), " = " + result);
    }
    if (!entries.isEmpty()) tellTime(entries.size(), start);
  }

  /// What came before the failing call succeeded, and nothing after it was made.
  private void tell(Batch batch, KernelException failure, long start) {
    int i = 0;
    for (Batch.Entry entry : batch.entries()) {
      boolean failed = entry.call() == failure.call();
      tell(i++, entry, failed ? " = " + error(failure.errno().value()) : "");
      if (failed) break;
    }
    tellTime(i, start);
  }

  private void tell(int index, Batch.Entry entry, String result) {
    trace.add(name + ": #" + index + " " + entry.call().text() + result);
  }

  private void tellTime(int calls, long start) {
    trace.add(name + ": " + calls + " calls" + TracedKernel.since(start));
  }

  private static String error(int number) {
    Errno errno = Errno.of(number);
    return errno.name() + " (" + errno.text() + ")";
  }

  @Override
  public HelperKernel over(OwnedDescriptor socket) {
    return new TracedHelper(name + "/" + trace.nextChild(), helper.over(socket), trace);
  }

  @Override
  public void close() {
    helper.close();
  }
}
