package io.jrun.kernel.observed;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Syscall;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// A helper under an observer. A call that is to fail is exchanged for one that cannot succeed, so
/// the helper itself performs what is before it, then stops there, or where that failure is
/// expected goes on and skips what needs its result.
public final class ObservedHelper implements HelperKernel {
  /// EBADF in every process.
  private static final Syscall<?> FAILS = new FileCall.Close(Descriptor.NONE);

  private final HelperKernel helper;
  private final String where;
  private final Observer observer;
  private final AtomicInteger children = new AtomicInteger();

  public ObservedHelper(HelperKernel helper, String where, Observer observer) {
    this.helper = helper;
    this.where = where;
    this.observer = observer;
  }

  private record Refusal(int index, Batch.Entry entry, Errno errno) {
    boolean expected() {
      return entry.anyFailure() || entry.expected().contains(errno);
    }

    Batch in(Batch batch) {
      return batch.with(index, new Batch.Entry(FAILS, List.of(), expected(), entry.guard()));
    }

    Results await(Reply reply) {
      try {
        return reply.await();
      } catch (KernelException e) {
        throw e.call() == FAILS ? new KernelException(entry.call(), errno) : e;
      }
    }
  }

  private Optional<Refusal> show(Batch batch) {
    observer.sending(where, batch);
    List<Batch.Entry> entries = batch.entries();
    for (int i = 0; i < entries.size(); i++) {
      Optional<Errno> errno = observer.before(where, entries.get(i).call());
      if (errno.isPresent()) return Optional.of(new Refusal(i, entries.get(i), errno.get()));
    }
    return Optional.empty();
  }

  @Override
  public Reply send(Batch batch) {
    Optional<Refusal> refusal = show(batch);
    if (refusal.isEmpty()) return helper.send(batch);
    Refusal refused = refusal.get();
    Reply reply = helper.send(refused.in(batch));
    return () -> {
      Results results = refused.await(reply);
      List<Long> values = new ArrayList<>(results.values());
      values.set(refused.index(), (long) -refused.errno().value());
      return new Results(values, results.outputs(), results.descriptors());
    };
  }

  @Override
  public Reply sendToEnd(Batch batch) {
    Optional<Refusal> refusal = show(batch);
    if (refusal.isEmpty()) return helper.sendToEnd(batch);
    Reply reply = helper.sendToEnd(refusal.get().in(batch));
    return () -> refusal.get().await(reply);
  }

  @Override
  public HelperKernel over(OwnedDescriptor socket) {
    String child = where + "/" + children.incrementAndGet();
    return new ObservedHelper(helper.over(socket), child, observer);
  }

  @Override
  public void close() {
    helper.close();
  }
}
