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
import org.jspecify.annotations.Nullable;

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
  private volatile @Nullable Refusal last;

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
      return batch.with(index, new Batch.Entry(FAILS, List.of(), expected(), entry.guard(), null));
    }
  }

  /// What was sent behind the batch of a refused call fails with it.
  private Results await(Reply reply) {
    try {
      return reply.await();
    } catch (KernelException e) {
      Refusal refusal = last;
      if (e.call() != FAILS || refusal == null) throw e;
      throw refusal.entry().failure(refusal.errno());
    }
  }

  private Optional<Refusal> show(Batch batch) {
    observer.sending(where, batch);
    List<Batch.Entry> entries = batch.entries();
    for (int i = 0; i < entries.size(); i++) {
      Optional<Errno> errno = observer.before(where, entries.get(i).call());
      if (errno.isEmpty()) continue;
      Refusal refusal = new Refusal(i, entries.get(i), errno.get());
      last = refusal;
      return Optional.of(refusal);
    }
    return Optional.empty();
  }

  @Override
  public Reply send(Batch batch) {
    Optional<Refusal> refusal = show(batch);
    if (refusal.isEmpty()) {
      Reply unchanged = helper.send(batch);
      return () -> await(unchanged);
    }
    Refusal refused = refusal.get();
    Reply reply = helper.send(refused.in(batch));
    return () -> {
      Results results = await(reply);
      List<Long> values = new ArrayList<>(results.values());
      values.set(refused.index(), (long) -refused.errno().value());
      return new Results(values, results.outputs(), results.descriptors());
    };
  }

  @Override
  public Reply sendToEnd(Batch batch) {
    Optional<Refusal> refusal = show(batch);
    Reply reply = helper.sendToEnd(refusal.isEmpty() ? batch : refusal.get().in(batch));
    return () -> await(reply);
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
