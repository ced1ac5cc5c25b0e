package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.TreeCall;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Mounts made detached, with their attributes, and then attached by descriptor.
final class DetachedMounts {
  /// File systems that take no label of their own for all of their files, as runc has it.
  private static final Set<String> UNLABELLED =
      Set.of("proc", "sysfs", "mqueue", "cgroup", "cgroup2");

  /// What only its owner takes away from a mount that another user namespace has got.
  private static final long LOCKED =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

  private static final long UNLOCKED = MOUNT_ATTR_NOSYMFOLLOW;

  private final Batch batch;
  private final @Nullable String label;

  /// @param label the SELinux label of what is mounted anew; null or empty for none
  DetachedMounts(Batch batch, @Nullable String label) {
    this.batch = batch;
    this.label = label == null || label.isEmpty() ? null : label;
  }

  /// A new file system.
  Pending<Descriptor> fresh(String type, @Nullable String source, MountOptions options) {
    Descriptor context = batch.add(new MountCall.Fsopen(type)).descriptor();
    if (source != null && !source.isEmpty()) {
      batch.add(new MountCall.Fsconfig(context, FSCONFIG_SET_STRING, "source", source));
    }
    for (String flag : options.superblock())
      batch.add(new MountCall.Fsconfig(context, FSCONFIG_SET_FLAG, flag, null));
    for (String option : options.data()) {
      int equals = option.indexOf('=');
      batch.add(
          equals < 0
              ? new MountCall.Fsconfig(context, FSCONFIG_SET_FLAG, option, null)
              : new MountCall.Fsconfig(
                  context,
                  FSCONFIG_SET_STRING,
                  option.substring(0, equals),
                  option.substring(equals + 1)));
    }
    if (label != null && !UNLABELLED.contains(type))
      batch.add(new MountCall.Fsconfig(context, FSCONFIG_SET_STRING, "context", label));
    batch.add(new MountCall.Fsconfig(context, FSCONFIG_CMD_CREATE, null, null));
    Pending<Descriptor> made =
        batch.add(new MountCall.Fsmount(context, (int) options.attributes()));
    batch.add(new FileCall.Close(context));
    recursive(made.descriptor(), options);
    return made;
  }

  /// A mqueue file system takes a label only as an attribute of its root.
  void labelRoot(Descriptor mqueue) {
    if (label == null) return;
    Descriptor top =
        batch
            .add(new FileCall.Openat(mqueue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, false))
            .descriptor();
    byte[] value = (label + "\0").getBytes(StandardCharsets.UTF_8);
    batch.add(new TreeCall.Fsetxattr(top, "security.selinux", value));
    batch.add(new FileCall.Close(top));
  }

  /// A copy of what is mounted at a path.
  Descriptor bound(String source, MountOptions options) {
    int flags = OPEN_TREE_CLONE | (options.recursiveBind() ? AT_RECURSIVE : 0);
    return batch.add(new MountCall.OpenTree(Descriptor.CWD, source, flags)).descriptor();
  }

  /// Gives such a copy the attributes that its options ask for. As with mount(8), runc and crun,
  /// whoever asks for any gets those alone, and not those that the source has besides. In a user
  /// namespace these stay, as they are locked there (mount_namespaces(7)), and else where the
  /// caller is in one.
  ///
  /// @param isInUserNamespace whether the container is in one
  void restrict(Descriptor tree, MountOptions options, boolean isInUserNamespace) {
    if (options.attributes() != 0 || options.cleared() != 0) {
      long others = ~options.attributes();
      long kept = options.cleared() | UNLOCKED & others;
      if (isInUserNamespace) setattr(batch, tree, 0, options.attributes(), kept, 0);
      else {
        Pending<?> alone =
            batch.add(attributes(tree, options.attributes(), kept | LOCKED & others), Errno.EPERM);
        batch.addIfFailed(alone, Errno.EPERM, attributes(tree, options.attributes(), kept));
      }
    }
    recursive(tree, options);
  }

  private static MountCall.MountSetattr attributes(Descriptor tree, long set, long clear) {
    return new MountCall.MountSetattr(tree, 0, set, clear, 0, new Descriptor.Known(0));
  }

  private void recursive(Descriptor tree, MountOptions options) {
    if (options.recursive() == 0 && options.recursiveCleared() == 0) return;
    long atime = options.recursiveCleared() & MOUNT_ATTR__ATIME;
    long cleared = options.recursiveCleared() & ~options.recursive() | atime;
    setattr(batch, tree, AT_RECURSIVE, options.recursive(), cleared, 0);
  }

  /// Attaches a mount, and lets go of it when it has its propagation.
  void attach(Descriptor made, Descriptor place, MountOptions options) {
    attach(batch, made, place);
    finish(made, options);
  }

  /// Attaches a file's mount. move_mount(2) says EINVAL where the place is a directory; what is
  /// told is that the file is none, as mount(2) says and callers of runc look for.
  void attachFile(Descriptor made, Descriptor place, MountOptions options) {
    Pending<?> moved = batch.add(new MountCall.MoveMount(made, place), Errno.EINVAL);
    Pending<?> directory =
        batch.addIfFailed(moved, Errno.EINVAL, asDirectory(place), Errno.ENOTDIR);
    batch.addIfDone(directory, asDirectory(made));
    batch.addIfFailed(directory, Errno.ENOTDIR, new MountCall.MoveMount(made, place));
    batch.add(new FileCall.Close(place));
    finish(made, options);
  }

  private static FileCall.Openat asDirectory(Descriptor path) {
    return new FileCall.Openat(path, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0, false);
  }

  private void finish(Descriptor made, MountOptions options) {
    for (long propagation : options.propagation()) {
      int flags = (propagation & MS_REC) != 0 ? AT_RECURSIVE : 0;
      setattr(batch, made, flags, 0, 0, propagation & ~MS_REC);
    }
    batch.add(new FileCall.Close(made));
  }

  static void attach(Batch batch, Descriptor made, Descriptor place) {
    batch.add(new MountCall.MoveMount(made, place));
    batch.add(new FileCall.Close(place));
  }

  static void setattr(
      Batch batch, Descriptor mount, int flags, long set, long clear, long propagation) {
    batch.add(
        new MountCall.MountSetattr(mount, flags, set, clear, propagation, new Descriptor.Known(0)));
  }
}
