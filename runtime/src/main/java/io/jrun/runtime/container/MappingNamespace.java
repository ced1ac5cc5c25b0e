package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.specs.runtime.IdMapping;
import java.util.List;

/// User namespaces as mount_setattr(2) takes them: by their ids the files of a mount are mapped.
final class MappingNamespace {
  private MappingNamespace() {}

  /// A namespace with these ids and nobody in it; the descriptor is the client's.
  static Descriptor make(
      Containers containers, ClientProcess client, List<IdMapping> uids, List<IdMapping> gids) {
    Child holder =
        Child.clone(containers.kernel, client.helper, new Batch(), NamespaceCall.CLONE_NEWUSER);
    try (holder) {
      IdMaps.write(containers, client, holder.pid(), uids, gids);
      return of(client, holder.pid());
    } finally {
      client.helper.call(new SignalCall.Kill(holder.pid(), SignalCall.SIGKILL));
      client.helper.call(new ProcessCall.Wait4(holder.pid(), 0));
    }
  }

  /// A process's namespace; the descriptor is the client's.
  static Descriptor of(ClientProcess client, int pid) {
    return client.helper.call(
        new FileCall.Openat(
            Descriptor.CWD,
            "/proc/" + pid + "/ns/user",
            FileCall.O_RDONLY | FileCall.O_CLOEXEC,
            0,
            false));
  }
}
