package io.jrun.kernel.host;

import io.jrun.kernel.Aside;
import io.jrun.kernel.BriefThreads;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.NamespaceCall;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The only threads of the engine that are ever in another network namespace than all others. They
/// serve nobody, and one that cannot come back ends.
final class NetworkThreads {
  private static final Path OWN = Path.of("/proc/thread-self/ns/net");

  private final HostKernel kernel;
  private final ExecutorService threads = BriefThreads.named("network");

  NetworkThreads(HostKernel kernel) {
    this.kernel = kernel;
  }

  <R> Aside<R> begin(Supplier<R> calls) {
    Trip<R> trip = new Trip<>(calls);
    threads.execute(trip);
    return trip.there;
  }

  /// There and back: what came of the calls is known before the thread is back.
  private final class Trip<R> implements Runnable {
    private final Aside<R> there;
    private @Nullable OwnedDescriptor own;

    Trip(Supplier<R> calls) {
      this.there =
          new Aside<>(() -> {
            own = OwnedDescriptor.toRead(kernel, OWN);
            kernel.change(new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWNET));
            return calls.get();
          });
    }

    @Override
    public void run() {
      there.run();
      OwnedDescriptor back = own;
      if (back == null) return;
      try (back) {
        kernel.change(new NamespaceCall.Setns(back.descriptor(), NamespaceCall.CLONE_NEWNET));
      }
    }
  }
}
