package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A foreground process: the client itself watches it, so neither signals nor the exit status
/// depend on the engine.
record Foreground(AtomicInteger watched, Pending<Integer> monitor, Reply reply) {
  /// A number for the terminal's master in the client, above what it may have preserved.
  private static final int MASTER = 201;

  /// Has the client keep its signals from now on. The child's program must not run before the
  /// answer is there: a signal that then reached a client that does not watch yet would end only
  /// the client.
  static Reply hold(HelperKernel client) {
    Batch batch = new Batch();
    batch.add(new ProcessCall.Sigprocmask(ProcessCall.SIG_BLOCK, -1));
    return client.send(batch);
  }

  /// From now on the client, which keeps its signals, takes them for the child, watches it and
  /// restores the terminal at its end.
  static Foreground begin(
      Containers containers,
      HelperKernel client,
      int pid,
      @Nullable OwnedDescriptor master,
      byte[] termios) {
    Batch batch = new Batch();
    Descriptor place = Descriptor.NONE;
    if (master != null) {
      Descriptor passed = batch.pass(master);
      batch.add(new DescriptorCall.Dup3(passed, MASTER, FileCall.O_CLOEXEC));
      batch.add(new FileCall.Close(passed));
      place = new Descriptor.Known(MASTER);
    }
    Pending<Integer> monitor = batch.add(new PseudoCall.Monitor(pid, place, termios));
    if (master != null) batch.add(new FileCall.Close(place));
    return new Foreground(containers.watched, monitor, client.send(batch));
  }

  /// The exit status as a shell would say it: 128 + n for a signal.
  int await() {
    watched.incrementAndGet();
    try {
      int wait = reply.await().of(monitor);
      return (wait & 0x7f) != 0 ? 128 + (wait & 0x7f) : wait >> 8 & 0xff;
    } finally {
      watched.decrementAndGet();
    }
  }
}
