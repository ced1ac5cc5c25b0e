package io.jrun.runtime.container;

import io.jrun.kernel.Aside;
import io.jrun.kernel.Batch;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import java.nio.file.Path;

/// A container's new network namespace, with its loopback up. To make it takes longer than init's
/// birth, so it is made in a thread of its own while the rest is checked and planned, and init
/// joins it. Nobody else ever has it: it ends with the container, or with the engine before that.
final class NewNetwork implements AutoCloseable {
  private static final Path HERE = Path.of("/proc/thread-self/ns/net");

  private final Aside<OwnedDescriptor> made;

  private NewNetwork(Aside<OwnedDescriptor> made) {
    this.made = made;
  }

  static NewNetwork begin(Kernel kernel) {
    return new NewNetwork(
        kernel.inNewNetwork(() -> {
          Loopback.raise(kernel);
          return OwnedDescriptor.toRead(kernel, HERE);
        }));
  }

  /// For init's first batch: what is mounted later shows this namespace.
  void addJoin(Batch batch) {
    Descriptor namespace = batch.pass(made::await);
    batch.add(new NamespaceCall.Setns(namespace, NamespaceCall.CLONE_NEWNET));
    batch.add(new FileCall.Close(namespace));
  }

  @Override
  public void close() {
    OwnedDescriptor namespace;
    try {
      namespace = made.await();
    } catch (KernelException e) {
      return; // told where it was needed, if it was
    }
    namespace.close();
  }
}
