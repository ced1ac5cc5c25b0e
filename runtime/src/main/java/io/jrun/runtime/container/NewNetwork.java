package io.jrun.runtime.container;

import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.kernel.Aside;
import io.jrun.kernel.Batch;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;

/// A container's new network namespace, with its loopback up. To make it takes longer than init's
/// birth, so it is made in a thread of its own while the rest is checked and planned, and init
/// joins it. Nobody else ever has it: it ends with the container, or with the engine before that.
final class NewNetwork implements AutoCloseable {
  private final Aside<NetworkNamespace> made;

  private NewNetwork(Aside<NetworkNamespace> made) {
    this.made = made;
  }

  static NewNetwork begin(Kernel kernel) {
    return new NewNetwork(
        kernel.inNewNetwork(() -> {
          Loopback.raise(kernel);
          return NetworkNamespace.here(kernel);
        }));
  }

  NetworkNamespace await() {
    return made.await();
  }

  /// For init's first batch: what is mounted later shows this namespace.
  void addJoin(Batch batch) {
    Descriptor namespace = batch.pass(() -> await().descriptor());
    batch.add(new NamespaceCall.Setns(namespace, NamespaceCall.CLONE_NEWNET));
    batch.add(new FileCall.Close(namespace));
  }

  @Override
  public void close() {
    try {
      await().close();
    } catch (KernelException e) {
      // one that was not made was told of where it was needed, and what close(2) refuses is closed
    }
  }
}
