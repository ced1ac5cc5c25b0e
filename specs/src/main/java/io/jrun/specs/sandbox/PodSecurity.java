package io.jrun.specs.sandbox;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.runtime.IdMapping;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// LinuxSandboxSecurityContext.
///
/// @param mapsUsers whether the pod has a user namespace of its own
/// @param uids of that, and gids
/// @param hasSelinux whether a label of SELinux is asked for
/// @param user null for none given
/// @param group null for none given
/// @param isFiltered whether the default profile of seccomp is asked for
/// @param seccomp the profile of the node that is asked for by name; empty for none
/// @param apparmor likewise
public record PodSecurity(
    NamespaceMode network,
    NamespaceMode pid,
    NamespaceMode ipc,
    boolean mapsUsers,
    List<IdMapping> uids,
    List<IdMapping> gids,
    boolean hasSelinux,
    @Nullable Long user,
    @Nullable Long group,
    List<Long> supplementalGroups,
    boolean isFiltered,
    String seccomp,
    String apparmor) {
  private static final int DEFAULT = 0;
  private static final int LOCALHOST = 2;

  public PodSecurity {
    uids = List.copyOf(uids);
    gids = List.copyOf(gids);
    supplementalGroups = List.copyOf(supplementalGroups);
  }

  static PodSecurity read(ProtoMessage m) {
    ProtoMessage namespaces = m.message(1);
    ProtoMessage users = namespaces.message(5);
    return new PodSecurity(
        NamespaceMode.read(namespaces, 1),
        NamespaceMode.read(namespaces, 2),
        NamespaceMode.read(namespaces, 3),
        namespaces.has(5) && NamespaceMode.read(users, 1) != NamespaceMode.NODE,
        mappings(users, 2),
        mappings(users, 3),
        m.has(2),
        id(m, 3),
        id(m, 8),
        m.int64s(5),
        m.has(9) ? m.message(9).int32(1) == DEFAULT : m.string(7).endsWith("/default"),
        localhost(m.message(9), m.string(7)),
        localhost(m.message(10), ""));
  }

  private static List<IdMapping> mappings(ProtoMessage users, int number) {
    return users.messages(number).stream()
        .map(m ->
            IdMapping.of(
                Integer.toUnsignedLong(m.int32(2)),
                Integer.toUnsignedLong(m.int32(1)),
                Integer.toUnsignedLong(m.int32(3))))
        .toList();
  }

  /// A google.protobuf.Int64Value, as CRI has its own.
  private static @Nullable Long id(ProtoMessage m, int number) {
    return m.has(number) ? m.message(number).int64(1) : null;
  }

  /// @param path as the interface had it before there were such messages
  private static String localhost(ProtoMessage profile, String path) {
    if (profile.int32(1) == LOCALHOST) return profile.string(2);
    return path.startsWith("localhost/") ? path : "";
  }
}
