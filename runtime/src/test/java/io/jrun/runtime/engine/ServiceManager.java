package io.jrun.runtime.engine;

import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Received;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.host.HostKernel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Both ends of sd_notify(3): the manager at a socket, who drops barriers at once, and in the place
/// of the containers' programs a thread that says READY to each of their sockets that it finds.
final class ServiceManager implements AutoCloseable {
  private static final int POLLIN = 1;
  private static final int LOOK_MILLIS = 5;

  private final HostKernel kernel = new HostKernel();
  private final Path states;
  private final OwnedDescriptor socket;
  private final OwnedDescriptor sender;
  private final Thread thread;
  private volatile boolean closing;

  /// @param states the directory of the containers' states
  ServiceManager(Path path, Path states) {
    this.states = states;
    socket = datagrams();
    sender = datagrams();
    kernel.call(new SocketCall.Bind(socket.descriptor(), SocketCall.unixAddress(path.toString())));
    thread = Thread.ofPlatform().daemon(true).name("service-manager").start(this::serve);
  }

  private OwnedDescriptor datagrams() {
    return OwnedDescriptor.open(
        kernel,
        new SocketCall.Socket(
            SocketCall.AF_UNIX, SocketCall.SOCK_DGRAM | SocketCall.SOCK_CLOEXEC, 0, true));
  }

  private void serve() {
    while (!closing) {
      if (kernel.call(new DescriptorCall.Poll(socket.descriptor(), POLLIN, LOOK_MILLIS)) != 0) {
        Received received = kernel.call(new SocketCall.Recvmsg(socket.descriptor(), 4096, 0));
        for (int number : received.descriptors())
          kernel.call(new FileCall.Close(new Descriptor.Known(number)));
      }
      String[] ids = states.toFile().list();
      for (String id : ids == null ? new String[0] : ids)
        sayReady(states.resolve(id).resolve("notify/notify.sock"));
    }
  }

  private void sayReady(Path container) {
    if (!Files.exists(container)) return;
    byte[] ready = "READY=1\n".getBytes(StandardCharsets.UTF_8);
    try {
      kernel.call(
          new SocketCall.Connect(
              sender.descriptor(), SocketCall.unixAddress(container.toString())));
      kernel.call(
          new SocketCall.Sendmsg(
              sender.descriptor(),
              ready,
              List.of(),
              SocketCall.MSG_NOSIGNAL | SocketCall.MSG_DONTWAIT));
    } catch (KernelException e) {
      // gone, or nobody listens any more
    }
  }

  @Override
  public void close() throws InterruptedException {
    closing = true;
    thread.join();
    sender.close();
    socket.close();
  }
}
