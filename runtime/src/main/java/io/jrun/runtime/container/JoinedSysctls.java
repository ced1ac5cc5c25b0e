package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.SysctlName;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Sysctls of namespaces that are joined: one that is the caller's own has the host's values, which
/// no container may change.
final class JoinedSysctls {
  private record Look(SysctlName name, Namespace joined, Pending<Stat> there, Pending<Stat> ours) {}

  private JoinedSysctls() {}

  /// @param caller in the host's namespaces
  static void check(HelperKernel caller, Linux linux) {
    Batch batch = new Batch();
    List<Look> looks = new ArrayList<>();
    for (String text : linux.sysctl().keySet()) {
      SysctlName name = new SysctlName(text);
      Namespace namespace = name.namespace().map(linux::namespace).orElse(null);
      if (namespace == null || namespace.path() == null) continue;
      String ours = "/proc/self/ns/" + NamespacePlan.procName(namespace.type());
      looks.add(new Look(name, namespace, ask(batch, namespace.path()), ask(batch, ours)));
    }
    if (looks.isEmpty()) return;
    Results results = caller.run(batch);
    for (Look look : looks)
      if (isSame(results, look.there(), look.ours()))
        throw new ContainerException(look.name().refused(look.joined().type()));
  }

  /// One that cannot be looked at cannot be joined either, which says why.
  private static Pending<Stat> ask(Batch batch, String path) {
    return batch.attempt(new FileCall.Statx(Descriptor.CWD, Objects.requireNonNull(path), 0));
  }

  private static boolean isSame(Results results, Pending<Stat> one, Pending<Stat> other) {
    if (!results.succeeded(one) || !results.succeeded(other)) return false;
    Stat a = results.of(one);
    Stat b = results.of(other);
    return a.inode() == b.inode()
        && a.deviceMajor() == b.deviceMajor()
        && a.deviceMinor() == b.deviceMinor();
  }
}
