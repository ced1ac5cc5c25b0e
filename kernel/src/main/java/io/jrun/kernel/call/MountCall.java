package io.jrun.kernel.call;

import org.jspecify.annotations.Nullable;

/// Mounts, by path and by descriptor.
public sealed interface MountCall<R> extends HelperCall<R> {
  int MS_RDONLY = 1;
  int MS_NOSUID = 2;
  int MS_NODEV = 4;
  int MS_NOEXEC = 8;
  int MS_SYNCHRONOUS = 16;
  int MS_REMOUNT = 32;
  int MS_MANDLOCK = 64;
  int MS_DIRSYNC = 128;
  int MS_NOSYMFOLLOW = 256;
  int MS_NOATIME = 1024;
  int MS_NODIRATIME = 2048;
  int MS_BIND = 4096;
  int MS_MOVE = 8192;
  int MS_REC = 16384;
  int MS_SILENT = 32768;
  int MS_UNBINDABLE = 1 << 17;
  int MS_PRIVATE = 1 << 18;
  int MS_SLAVE = 1 << 19;
  int MS_SHARED = 1 << 20;
  int MS_RELATIME = 1 << 21;
  int MS_I_VERSION = 1 << 23;
  int MS_STRICTATIME = 1 << 24;
  int MS_LAZYTIME = 1 << 25;
  Flags MOUNT =
      Flags.bits(
          MS_RDONLY,
          "MS_RDONLY",
          MS_NOSUID,
          "MS_NOSUID",
          MS_NODEV,
          "MS_NODEV",
          MS_NOEXEC,
          "MS_NOEXEC",
          MS_SYNCHRONOUS,
          "MS_SYNCHRONOUS",
          MS_REMOUNT,
          "MS_REMOUNT",
          MS_MANDLOCK,
          "MS_MANDLOCK",
          MS_DIRSYNC,
          "MS_DIRSYNC",
          MS_NOSYMFOLLOW,
          "MS_NOSYMFOLLOW",
          MS_NOATIME,
          "MS_NOATIME",
          MS_NODIRATIME,
          "MS_NODIRATIME",
          MS_BIND,
          "MS_BIND",
          MS_MOVE,
          "MS_MOVE",
          MS_REC,
          "MS_REC",
          MS_SILENT,
          "MS_SILENT",
          MS_UNBINDABLE,
          "MS_UNBINDABLE",
          MS_PRIVATE,
          "MS_PRIVATE",
          MS_SLAVE,
          "MS_SLAVE",
          MS_SHARED,
          "MS_SHARED",
          MS_RELATIME,
          "MS_RELATIME",
          MS_I_VERSION,
          "MS_I_VERSION",
          MS_STRICTATIME,
          "MS_STRICTATIME",
          MS_LAZYTIME,
          "MS_LAZYTIME");
  int MOUNT_ATTR_RDONLY = 1;
  int MOUNT_ATTR_NOSUID = 2;
  int MOUNT_ATTR_NODEV = 4;
  int MOUNT_ATTR_NOEXEC = 8;
  int MOUNT_ATTR_NOATIME = 0x10;
  int MOUNT_ATTR_STRICTATIME = 0x20;
  int MOUNT_ATTR__ATIME = 0x70;
  int MOUNT_ATTR_NODIRATIME = 0x80;
  int MOUNT_ATTR_IDMAP = 0x100000;
  int MOUNT_ATTR_NOSYMFOLLOW = 0x200000;
  Flags ATTRIBUTES =
      Flags.bits(
          MOUNT_ATTR_RDONLY,
          "MOUNT_ATTR_RDONLY",
          MOUNT_ATTR_NOSUID,
          "MOUNT_ATTR_NOSUID",
          MOUNT_ATTR_NODEV,
          "MOUNT_ATTR_NODEV",
          MOUNT_ATTR_NOEXEC,
          "MOUNT_ATTR_NOEXEC",
          MOUNT_ATTR_NOATIME,
          "MOUNT_ATTR_NOATIME",
          MOUNT_ATTR_STRICTATIME,
          "MOUNT_ATTR_STRICTATIME",
          MOUNT_ATTR_NODIRATIME,
          "MOUNT_ATTR_NODIRATIME",
          MOUNT_ATTR_IDMAP,
          "MOUNT_ATTR_IDMAP",
          MOUNT_ATTR_NOSYMFOLLOW,
          "MOUNT_ATTR_NOSYMFOLLOW");
  int FSCONFIG_SET_FLAG = 0;
  int FSCONFIG_SET_STRING = 1;
  int FSCONFIG_SET_FD = 5;
  int FSCONFIG_CMD_CREATE = 6;
  Flags FSCONFIG =
      Flags.values(
          FSCONFIG_SET_FLAG,
          "FSCONFIG_SET_FLAG",
          FSCONFIG_SET_STRING,
          "FSCONFIG_SET_STRING",
          FSCONFIG_SET_FD,
          "FSCONFIG_SET_FD",
          FSCONFIG_CMD_CREATE,
          "FSCONFIG_CMD_CREATE");
  int OPEN_TREE_CLONE = 1;
  int MOVE_MOUNT_F_EMPTY_PATH = 4;
  int MOVE_MOUNT_T_EMPTY_PATH = 0x40;
  int MNT_DETACH = 2;
  int UMOUNT_NOFOLLOW = 8;
  Flags TREE =
      Flags.bits(
          OPEN_TREE_CLONE,
          "OPEN_TREE_CLONE",
          0x1000,
          "AT_EMPTY_PATH",
          0x8000,
          "AT_RECURSIVE",
          0x100,
          "AT_SYMLINK_NOFOLLOW",
          02000000,
          "OPEN_TREE_CLOEXEC");
  Flags UMOUNT = Flags.bits(MNT_DETACH, "MNT_DETACH", UMOUNT_NOFOLLOW, "UMOUNT_NOFOLLOW");
  Flags MOVE =
      Flags.bits(
          MOVE_MOUNT_F_EMPTY_PATH,
          "MOVE_MOUNT_F_EMPTY_PATH",
          MOVE_MOUNT_T_EMPTY_PATH,
          "MOVE_MOUNT_T_EMPTY_PATH");

  /// A call that answers only that it succeeded.
  sealed interface Action extends MountCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// A call that answers a descriptor of the process that performed it.
  sealed interface Opening extends MountCall<Descriptor> {
    @Override
    default Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }
  }

  /// mount(2).
  record Mount(
      @Nullable String source,
      String target,
      @Nullable String type,
      long flags,
      @Nullable String data)
      implements Action {
    /// What the kernel copies of the options at most: a page, with the zero at its end.
    private static final int PAGE = 4096;

    /// Whether mount(2) takes all of these options; what is longer it cuts off.
    public static boolean takes(String options) {
      return Names.encode(options).length < PAGE;
    }

    @Override
    public Number number() {
      return Number.MOUNT;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(source).string(target).string(type).flags(MOUNT, flags).string(data);
    }
  }

  /// umount2(2).
  record Umount2(String target, int flags) implements Action {
    @Override
    public Number number() {
      return Number.UMOUNT2;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(target).flags(UMOUNT, flags);
    }
  }

  /// pivot_root(2).
  record PivotRoot(String newRoot, String putOld) implements Action {
    @Override
    public Number number() {
      return Number.PIVOT_ROOT;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(newRoot).string(putOld);
    }
  }

  /// open_tree(2), Linux 5.2; close-on-exec.
  record OpenTree(Descriptor directory, String path, int flags, boolean returned)
      implements Opening {
    public OpenTree(Descriptor directory, String path, int flags) {
      this(directory, path, flags, false);
    }

    @Override
    public boolean returnsDescriptor() {
      return returned;
    }

    @Override
    public Number number() {
      return Number.OPEN_TREE;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).flags(TREE, flags | 02000000);
    }
  }

  /// move_mount(2) of a mount held by descriptor onto a path held by descriptor, Linux 5.2.
  record MoveMount(Descriptor mount, Descriptor target) implements Action {
    @Override
    public Number number() {
      return Number.MOVE_MOUNT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(mount)
          .string("")
          .descriptor(target)
          .string("")
          .flags(MOVE, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    }
  }

  /// fsopen(2), Linux 5.2; close-on-exec.
  record Fsopen(String type) implements Opening {
    @Override
    public Number number() {
      return Number.FSOPEN;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(type).value(1);
    }
  }

  /// fsconfig(2), Linux 5.2.
  record Fsconfig(Descriptor context, int command, @Nullable String key, @Nullable String value)
      implements Action {
    @Override
    public Number number() {
      return Number.FSCONFIG;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(context).flags(FSCONFIG, command).string(key).string(value).value(0);
    }
  }

  /// fsmount(2), Linux 5.2; close-on-exec.
  record Fsmount(Descriptor context, int attributes) implements Opening {
    @Override
    public Number number() {
      return Number.FSMOUNT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(context).value(1).flags(ATTRIBUTES, attributes);
    }
  }

  /// mount_setattr(2) of a mount held by descriptor, Linux 5.12. Flags: AT_RECURSIVE.
  record MountSetattr(
      Descriptor mount, int flags, long set, long clear, long propagation, Descriptor userNamespace)
      implements Action {
    @Override
    public Number number() {
      return Number.MOUNT_SETATTR;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(mount)
          .string("")
          .flags(FileCall.AT, flags | FileCall.AT_EMPTY_PATH)
          .struct(a ->
              a.flags64("attr_set", ATTRIBUTES, set)
                  .flags64("attr_clr", ATTRIBUTES, clear)
                  .flags64("propagation", MOUNT, propagation)
                  .descriptor32("userns_fd", userNamespace)
                  .raw("", new byte[4]))
          .value(32);
    }
  }
}
