package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SecurityCall;
import io.jrun.kernel.call.SocketCall;
import java.util.Objects;

/// An init that is made and then left to itself, free of engine and client.
final class WaitingInit {
  private WaitingInit() {}

  /// Leaves a created container: init listens for `start`, free of engine and client.
  static void park(Containers containers, Store store, Creation.Made made) {
    UnderFilter.checkWaiting(Objects.requireNonNull(made.config().process()), made.seccomp());
    Batch batch = new Batch();
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, 0, 0, 0, 0));
    try (OwnedDescriptor listener =
        listen(containers, store.initSocket(made.state().id()).toString())) {
      batch.add(new PseudoCall.ListenForStart(batch.pass(listener)));
      made.init().helper().run(batch);
    }
    made.init().close();
  }

  /// Leaves a sandbox: its init only holds the namespaces that containers will join.
  static void pause(Store store, Claim claim, Creation.Made made) {
    Batch batch = new Batch();
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, 0, 0, 0, 0));
    byte[] filter = made.seccomp();
    if (filter != null) batch.add(new SecurityCall.Seccomp(made.seccompFlags(), filter, false));
    batch.add(new PseudoCall.Pause());
    made.init().helper().run(batch);
    made.init().close();
    store.started(claim);
  }

  private static OwnedDescriptor listen(Containers containers, String path) {
    OwnedDescriptor socket =
        OwnedDescriptor.open(
            containers.kernel,
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC, 0, false));
    try {
      SocketPath.use(
          containers.kernel, path, address -> new SocketCall.Bind(socket.descriptor(), address));
      containers.kernel.call(new SocketCall.Listen(socket.descriptor(), 8));
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }
}
