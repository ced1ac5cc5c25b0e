package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.PseudoCall;
import org.jspecify.annotations.Nullable;

/// A foreground process: the client itself watches it, so neither signals nor the exit status
/// depend on the engine.
final class Foreground {
  /// A number for the terminal's master in the client, above what it may have preserved.
  private static final int MASTER = 201;

  private Foreground() {}

  /// The exit status as a shell would say it: 128 + n for a signal.
  static int watch(
      Containers containers,
      ClientProcess client,
      Child child,
      @Nullable OwnedDescriptor master,
      byte[] termios) {
    Batch batch = new Batch();
    Descriptor place = new Descriptor.Known(-1);
    if (master != null) {
      Descriptor passed = batch.pass(master);
      batch.add(new FileCall.Dup3(passed, MASTER, FileCall.O_CLOEXEC));
      batch.add(new FileCall.Close(passed));
      place = new Descriptor.Known(MASTER);
    }
    Pending<Integer> monitor = batch.add(new PseudoCall.Monitor(child.pid(), place, termios));
    if (master != null) batch.add(new FileCall.Close(place));
    containers.watched.incrementAndGet();
    int wait;
    try {
      wait = client.helper.run(batch).of(monitor);
    } finally {
      containers.watched.decrementAndGet();
    }
    return (wait & 0x7f) != 0 ? 128 + (wait & 0x7f) : wait >> 8 & 0xff;
  }
}
