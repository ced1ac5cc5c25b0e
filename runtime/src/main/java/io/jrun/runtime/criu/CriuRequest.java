package io.jrun.runtime.criu;

import io.jrun.specs.proto.ProtoWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What CRIU is asked (`criu_req` of its rpc.proto, criu 3.0 and later), by the numbers of the
/// protocol. Options that are not set are CRIU's own defaults.
public final class CriuRequest {
  /// `criu_req_type`.
  public enum Type {
    DUMP(1),
    RESTORE(2),
    PRE_DUMP(4),
    NOTIFY(6),
    FEATURE_CHECK(9),
    VERSION(10);

    final int number;

    Type(int number) {
      this.number = number;
    }

    /// The name of a type as CRIU's protocol has it.
    static String named(long number) {
      for (Type type : values()) if (type.number == number) return type.name();
      return Long.toString(number);
    }
  }

  /// `criu_cg_mode`: what becomes of cgroups.
  public enum CgroupsMode {
    IGNORE(0),
    SOFT(3),
    FULL(4),
    STRICT(5),
    DEFAULT(6);

    final int number;

    CgroupsMode(int number) {
      this.number = number;
    }
  }

  /// How much CRIU writes into its log: what runc asks for, too.
  private static final int LOG_LEVEL = 4;

  private final Type type;
  private final List<String> directories;
  private final ProtoWriter options = new ProtoWriter();
  private boolean isShellJob;

  private CriuRequest(Type type, List<String> directories) {
    this.type = type;
    this.directories = directories;
  }

  static CriuRequest plain(Type type) {
    return new CriuRequest(type, List.of());
  }

  /// @param images the directory of the images
  /// @param work the directory of logs; null for that of the images
  /// @param log the name of the log
  public static CriuRequest of(Type type, String images, @Nullable String work, String log) {
    CriuRequest request =
        new CriuRequest(type, work == null ? List.of(images) : List.of(images, work));
    request.options.present(1, Criu.DIRECTORIES).present(9, LOG_LEVEL).string(10, log);
    if (work != null) request.options.present(17, Criu.DIRECTORIES + 1);
    request.options.present(12, true); // notify_scripts
    request.options.present(24, true); // manage_cgroups, which manage_cgroups_mode is to override
    request.options.present(50, true); // orphan_pts_master
    return request;
  }

  public Type type() {
    return type;
  }

  /// What CRIU has open from [Criu#DIRECTORIES] on.
  List<String> directories() {
    return directories;
  }

  public CriuRequest pid(int pid) {
    options.present(2, pid);
    return this;
  }

  public CriuRequest leaveRunning(boolean on) {
    return flag(3, on);
  }

  public CriuRequest extUnixSk(boolean on) {
    return flag(4, on);
  }

  public CriuRequest tcpEstablished(boolean on) {
    return flag(5, on);
  }

  /// Any path that leads to a device may be used to open it again.
  public CriuRequest evasiveDevices() {
    return flag(6, true);
  }

  public CriuRequest shellJob(boolean on) {
    isShellJob = on;
    return flag(7, on);
  }

  /// Whether what is restored belongs to CRIU's own session and process group.
  boolean isShellJob() {
    return isShellJob;
  }

  public CriuRequest fileLocks(boolean on) {
    return flag(8, on);
  }

  public CriuRequest pageServer(String address, int port) {
    options.message(11, new ProtoWriter().string(1, address).present(2, port));
    return this;
  }

  /// The root of the tree of mounts, for a restore a mount point.
  public CriuRequest root(String path) {
    options.string(13, path);
    return this;
  }

  /// Images of an earlier pre-dump, relative to these; memory that changes is watched from then on.
  public CriuRequest parentImages(String path) {
    options.string(14, path);
    return flag(15, true);
  }

  public CriuRequest autoDedup(boolean on) {
    return flag(16, on);
  }

  public CriuRequest linkRemap(boolean on) {
    return flag(18, on);
  }

  /// A mount from outside: when dumped, `value` names it; when restored, it is its source.
  public CriuRequest externalMount(String key, String value) {
    options.message(23, new ProtoWriter().string(1, key).string(2, value));
    return this;
  }

  /// A hierarchy whose cgroups are saved; where none is named, all of the kernel's are.
  ///
  /// @param controllers as /proc/PID/cgroup names them, `""` for v2
  public CriuRequest dumpedHierarchy(String controllers) {
    options.present(43, controllers);
    return this;
  }

  /// Where the cgroups of a controller are restored.
  ///
  /// @param controller `""` for v2, which is to be there: CRIU takes a path without a controller
  ///   for that of all it has no other for
  public CriuRequest cgroupRoot(String controller, String path) {
    options.message(25, new ProtoWriter().present(1, controller).string(2, path));
    return this;
  }

  /// The restored init becomes a child of CRIU's parent.
  public CriuRequest restoreAsSibling() {
    return flag(26, true);
  }

  /// @param descriptor of CRIU's own process
  public CriuRequest inherit(String key, int descriptor) {
    options.message(27, new ProtoWriter().string(1, key).present(2, descriptor));
    return this;
  }

  public CriuRequest cgroups(CgroupsMode mode) {
    options.present(34, mode.number);
    return this;
  }

  public CriuRequest external(String what) {
    options.string(37, what);
    return this;
  }

  /// Namespaces that are made, and left empty; a mask of clone(2)'s flags.
  public CriuRequest emptyNamespaces(long mask) {
    options.present(38, mask);
    return this;
  }

  public CriuRequest joinNamespace(String type, String path) {
    options.message(39, new ProtoWriter().string(1, type).string(2, path));
    return this;
  }

  public CriuRequest freezeCgroup(String directory) {
    options.string(44, directory);
    return this;
  }

  public CriuRequest tcpSkipInFlight(boolean on) {
    return flag(46, on);
  }

  public CriuRequest lazyPages(boolean on) {
    return flag(48, on);
  }

  public CriuRequest configFile(String path) {
    options.string(51, path);
    return this;
  }

  public CriuRequest lsmProfile(String profile) {
    options.string(53, profile);
    return this;
  }

  public CriuRequest lsmMountContext(String context) {
    options.string(63, context);
    return this;
  }

  private CriuRequest flag(int field, boolean on) {
    if (on) options.present(field, true);
    return this;
  }

  byte[] bytes() {
    ProtoWriter request = new ProtoWriter().present(1, type.number);
    switch (type) {
      // both features are asked for at once
      case FEATURE_CHECK -> request.message(5, new ProtoWriter().present(1, true).present(2, true));
      case VERSION, NOTIFY -> {}
      case DUMP, PRE_DUMP, RESTORE -> request.message(2, options);
    }
    return request.toBytes();
  }

  /// The answer to a notification.
  static byte[] notified(boolean success) {
    return new ProtoWriter().present(1, Type.NOTIFY.number).present(3, success).toBytes();
  }
}
