package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// The configuration that `jrun spec` prints: runc's.
public final class DefaultConfig {
  private static final Json.JsonObject NOTHING = Json.JsonObject.EMPTY;

  private DefaultConfig() {}

  /// A shell in `rootfs`; rootless, in a user namespace where root is `uid` and `gid`.
  public static Config create(boolean rootless, long uid, long gid) {
    return create(rootless, uid, gid, true);
  }

  /// @param cgroupNamespace whether there is one, which runc asks for on pure cgroup v2
  public static Config create(boolean rootless, long uid, long gid, boolean cgroupNamespace) {
    return new Config(
        Config.OCI_VERSION,
        process(),
        new Root("rootfs", true, NOTHING),
        "jrun",
        null,
        mounts(rootless),
        Hooks.NONE,
        linux(rootless, uid, gid, cgroupNamespace),
        Map.of(),
        NOTHING);
  }

  private static Process process() {
    List<String> capabilities = List.of("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE");
    // Go prints the ids of the user even when they are 0.
    User root =
        new User(0, 0, null, List.of(), NOTHING.with("uid", Json.of(0)).with("gid", Json.of(0)));
    return new Process(
        true,
        null,
        root,
        List.of("sh"),
        List.of("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"),
        "/",
        new Capabilities(capabilities, capabilities, List.of(), capabilities, List.of(), NOTHING),
        List.of(new Rlimit("RLIMIT_NOFILE", 1024, 1024, NOTHING)),
        true,
        null,
        null,
        null,
        null,
        null,
        null,
        NOTHING);
  }

  private static List<Mount> mounts(boolean rootless) {
    List<Mount> mounts = new ArrayList<>();
    mounts.add(mount("/proc", "proc", "proc"));
    mounts.add(mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"));
    String[] pts = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"};
    // Group 5 (tty) is not mapped in a namespace with one id.
    mounts.add(mount("/dev/pts", "devpts", "devpts", rootless ? Arrays.copyOf(pts, 5) : pts));
    mounts.add(
        mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"));
    mounts.add(mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"));
    // sysfs can be mounted only by the owner of the network namespace, so rootless binds it.
    mounts.add(
        rootless
            ? mount("/sys", "none", "/sys", "rbind", "nosuid", "noexec", "nodev", "ro")
            : mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"));
    mounts.add(
        mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"));
    return mounts;
  }

  private static Mount mount(String destination, String type, String source, String... options) {
    return new Mount(destination, type, source, List.of(options), List.of(), List.of(), NOTHING);
  }

  private static Linux linux(boolean rootless, long uid, long gid, boolean cgroupNamespace) {
    List<Namespace> namespaces = new ArrayList<>();
    namespaces.add(Namespace.fresh(NamespaceType.PID));
    if (!rootless) {
      namespaces.add(Namespace.fresh(NamespaceType.NETWORK));
    }
    namespaces.add(Namespace.fresh(NamespaceType.IPC));
    namespaces.add(Namespace.fresh(NamespaceType.UTS));
    namespaces.add(Namespace.fresh(NamespaceType.MOUNT));
    if (cgroupNamespace) {
      namespaces.add(Namespace.fresh(NamespaceType.CGROUP));
    }
    if (rootless) {
      namespaces.add(Namespace.fresh(NamespaceType.USER));
    }
    Linux linux =
        Linux.NONE
            .withNamespaces(namespaces)
            .withMaskedPaths(
                List.of(
                    "/proc/acpi",
                    "/proc/asound",
                    "/proc/kcore",
                    "/proc/keys",
                    "/proc/latency_stats",
                    "/proc/timer_list",
                    "/proc/timer_stats",
                    "/proc/sched_debug",
                    "/sys/firmware",
                    "/proc/scsi"))
            .withReadonlyPaths(
                List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"));
    if (rootless) {
      return linux
          .withUidMappings(List.of(IdMapping.of(0, uid, 1)))
          .withGidMappings(List.of(IdMapping.of(0, gid, 1)));
    }
    return linux.withResources(
        Resources.NONE.withDevices(
            List.of(new Resources.DeviceRule(false, null, null, null, "rwm", NOTHING))));
  }
}
