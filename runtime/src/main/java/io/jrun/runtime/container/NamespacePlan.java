package io.jrun.runtime.container;

import static io.jrun.kernel.call.NamespaceCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import java.util.Comparator;
import java.util.List;

/// Which namespaces are made with init, which later, and which are joined, in the order that works:
/// the user namespace first, the mount namespace last; a pid namespace is joined by init's parent.
final class NamespacePlan {
  static final Comparator<Namespace> MOUNT_LAST =
      Comparator.comparingInt(
          n -> n.type() == NamespaceType.USER ? 0 : n.type() == NamespaceType.MOUNT ? 2 : 1);

  private final Linux linux;

  NamespacePlan(Linux linux) {
    this.linux = linux;
  }

  static long flag(NamespaceType type) {
    return switch (type) {
      case PID -> CLONE_NEWPID;
      case NETWORK -> CLONE_NEWNET;
      case MOUNT -> CLONE_NEWNS;
      case IPC -> CLONE_NEWIPC;
      case UTS -> CLONE_NEWUTS;
      case USER -> CLONE_NEWUSER;
      case CGROUP -> CLONE_NEWCGROUP;
      case TIME -> CLONE_NEWTIME;
    };
  }

  /// What clone3 makes. The cgroup namespace is made later, in the container's own cgroup.
  long cloneFlags() {
    long flags = 0;
    for (Namespace namespace : linux.namespaces()) {
      if (namespace.path() == null && namespace.type() != NamespaceType.CGROUP)
        flags |= flag(namespace.type());
    }
    return joinsNewNetwork() ? flags & ~CLONE_NEWNET : flags;
  }

  /// Whether init joins a [NewNetwork]: one that the engine makes is owned by the engine's user
  /// namespace, so it is for containers of that only.
  boolean joinsNewNetwork() {
    return makes(NamespaceType.NETWORK) && !needsMiddle();
  }

  boolean makes(NamespaceType type) {
    return linux.makes(type);
  }

  boolean has(NamespaceType type) {
    return linux.namespace(type) != null;
  }

  List<Namespace> joined() {
    return linux.namespaces().stream()
        .filter(namespace -> namespace.path() != null)
        .sorted(MOUNT_LAST)
        .toList();
  }

  /// Whether init is born through a [Middle], which then has joined what is to be joined.
  boolean needsMiddle() {
    return has(NamespaceType.USER) || makes(NamespaceType.TIME);
  }

  /// The name in /proc/PID/ns.
  static String procName(NamespaceType type) {
    return switch (type) {
      case MOUNT -> "mnt";
      case NETWORK -> "net";
      default -> type.text();
    };
  }

  /// For init's parent, before the clone: its children are born in the pid namespace.
  void addParentJoins(Batch batch) {
    for (Namespace namespace : joined())
      if (namespace.type() == NamespaceType.PID) join(batch, namespace);
  }

  void addJoins(Batch batch) {
    for (Namespace namespace : joined())
      if (namespace.type() != NamespaceType.PID) join(batch, namespace);
  }

  static Descriptor open(Batch batch, Namespace namespace) {
    return batch
        .add(
            FileCall.Openat.existing(
                java.util.Objects.requireNonNull(namespace.path()), FileCall.O_RDONLY))
        .descriptor();
  }

  private static void join(Batch batch, Namespace namespace) {
    batch.during(
        "joining the " + namespace.type().text() + " namespace " + namespace.path(),
        () -> {
          Descriptor file = open(batch, namespace);
          batch.add(new NamespaceCall.Setns(file, flag(namespace.type())));
          batch.add(new FileCall.Close(file));
        });
  }
}
