package io.jrun.kernel.host;

import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.SocketCall;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Makes network namespaces beside other work, which is most of what clone3 takes for a container.
/// A thread of this process enters the new namespace for that moment and returns; unlike the other
/// kinds, a network namespace is a single thread's own affair (network_namespaces(7)).
///
/// ```
///   a thread of its own                     the container's init
///     | unshare(CLONE_NEWNET)                  |
///     | lo up, open /proc/thread-self/ns/net   |
///     | setns(home)                            |
///     | ---- the descriptor, with a batch ---> | setns, close
/// ```
public final class NetworkMaker {
  private final HostKernel kernel;
  private final OwnedDescriptor home;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().name("network-", 0).daemon(true).factory());

  public NetworkMaker(HostKernel kernel) {
    this.kernel = kernel;
    this.home = open("/proc/self/ns/net");
  }

  /// A new network namespace of this process's user namespace, its `lo` up.
  public CompletableFuture<OwnedDescriptor> make() {
    CompletableFuture<OwnedDescriptor> made = new CompletableFuture<>();
    threads.execute(() -> make(made));
    return made;
  }

  private void make(CompletableFuture<OwnedDescriptor> made) {
    try {
      kernel.callInThread(new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWNET));
    } catch (KernelException e) {
      made.completeExceptionally(e);
      return;
    }
    OwnedDescriptor namespace = null;
    try {
      namespace = open("/proc/thread-self/ns/net");
      up();
    } catch (RuntimeException e) {
      made.completeExceptionally(e);
    } finally {
      // a thread that cannot return ends with this exception, and the pool makes another
      kernel.callInThread(new NamespaceCall.Setns(home.descriptor(), NamespaceCall.CLONE_NEWNET));
      if (namespace != null && !made.complete(namespace)) namespace.close();
    }
  }

  private void up() {
    int type = SocketCall.SOCK_DGRAM | SocketCall.SOCK_CLOEXEC;
    Descriptor made = kernel.call(new SocketCall.Socket(SocketCall.AF_INET, type, 0, false));
    try (OwnedDescriptor socket = new OwnedDescriptor(kernel, ((Descriptor.Known) made).number())) {
      kernel.call(FileCall.loopbackUp(socket.descriptor()));
    }
  }

  private OwnedDescriptor open(String path) {
    int flags = FileCall.O_RDONLY | FileCall.O_CLOEXEC;
    Descriptor opened = kernel.call(new FileCall.Openat(Descriptor.CWD, path, flags, 0, false));
    return new OwnedDescriptor(kernel, ((Descriptor.Known) opened).number());
  }
}
