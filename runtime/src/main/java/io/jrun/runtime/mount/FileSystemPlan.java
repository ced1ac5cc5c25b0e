package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.call.TreeCall;
import io.jrun.specs.runtime.Device;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The container's file system view, as calls for its init. All of it works on descriptors of
/// mounts not yet attached and of targets resolved inside the root; no path is looked up twice.
public final class FileSystemPlan {
  private static final Set<String> PROC_TARGETS =
      Set.of(
          "cpuinfo",
          "diskstats",
          "meminfo",
          "stat",
          "swaps",
          "uptime",
          "loadavg",
          "slabinfo",
          "sys/kernel/ns_last_pid",
          "sys/crypto/fips_enabled");

  /// File systems that take no label of their own for all of their files, as runc has it.
  private static final Set<String> UNLABELLED =
      Set.of("proc", "sysfs", "mqueue", "cgroup", "cgroup2");

  private final Batch batch;
  private final Descriptor root;
  private final InRoot inRoot;
  private final @Nullable String mountLabel;

  /// @param root the root file system's mount, from [#root]
  public FileSystemPlan(Batch batch, Descriptor root) {
    this(batch, root, null);
  }

  /// @param mountLabel the SELinux label of what is mounted anew; null or empty for none
  public FileSystemPlan(Batch batch, Descriptor root, @Nullable String mountLabel) {
    this.batch = batch;
    this.root = root;
    this.inRoot = new InRoot(batch, root);
    this.mountLabel = mountLabel == null || mountLabel.isEmpty() ? null : mountLabel;
  }

  /// Cuts the tree off the host's propagation, as far as the config lets it.
  public static void hostRoot(Batch batch, long propagation) {
    batch.add(new MountCall.Mount("", "/", "", propagation, null));
  }

  /// Sets the propagation of the mount that the root file system lies on.
  public static void parentOf(Batch batch, HelperKernel init, String rootfs, long propagation) {
    Descriptor directory = init.call(FileCall.Openat.existing(rootfs, O_PATH | O_DIRECTORY));
    String path =
        init.call(new FileCall.Readlinkat(Descriptor.CWD, "/proc/self/fd/" + directory.text()));
    batch.add(new FileCall.Close(directory));
    String parent = Mountinfo.containing(Mountinfo.read(init), path);
    batch.add(new MountCall.Mount("", parent, "", propagation, null));
  }

  /// Makes the root file system a mount of its own.
  public static Descriptor root(Batch batch, String rootfs) {
    Descriptor tree =
        batch
            .add(new MountCall.OpenTree(Descriptor.CWD, rootfs, OPEN_TREE_CLONE | AT_RECURSIVE))
            .descriptor();
    Descriptor target =
        batch.add(FileCall.Openat.existing(rootfs, O_PATH | O_DIRECTORY)).descriptor();
    batch.add(new MountCall.MoveMount(tree, target));
    batch.add(new FileCall.Close(target));
    return tree;
  }

  /// Makes an empty file system the root, attached over a directory.
  public static Descriptor emptyRoot(Batch batch, String directory) {
    Descriptor tree =
        new FileSystemPlan(batch, Descriptor.CWD)
            .mounted(
                "tmpfs",
                "tmpfs",
                MountOptions.parse("tmpfs", List.of("nosuid", "noexec", "mode=755", "size=64k")));
    Descriptor target =
        batch.add(FileCall.Openat.existing(directory, O_PATH | O_DIRECTORY)).descriptor();
    batch.add(new MountCall.MoveMount(tree, target));
    batch.add(new FileCall.Close(target));
    return tree;
  }

  /// @param sourceIsDirectory for a bind mount, what its source is
  public void mount(Mount mount, boolean sourceIsDirectory) {
    mount(mount, sourceIsDirectory, null, false);
  }

  /// @param tree of a bind mount's source, prepared and still detached; null where it is to be
  ///   opened
  /// @param isOptional whether it is passed over where its place is missing and cannot be made
  public void mount(
      Mount mount, boolean sourceIsDirectory, @Nullable Descriptor tree, boolean isOptional) {
    String type = type(mount);
    MountOptions options = MountOptions.parse(type, mount.options());
    if (options.copyUp())
      throw new IllegalArgumentException("mount option tmpcopyup: is for tmpfs only");
    if (options.bind() && !options.data().isEmpty())
      throw new IllegalArgumentException(
          "mount option " + options.data().getFirst() + ": not for a bind mount");
    checkTarget(mount, type, options);
    Descriptor made =
        options.bind() ? bound(mount, options, tree) : mounted(type, mount.source(), options);
    InRoot places = isOptional ? inRoot.straight().tolerant() : inRoot.straight();
    Descriptor target =
        options.bind() && !sourceIsDirectory
            ? places.file(mount.destination())
            : places.directory(mount.destination());
    if (type.equals("mqueue") && !options.bind() && mountLabel != null) label(made);
    attach(made, target, options);
  }

  /// A mqueue file system takes a label only as an attribute of its root.
  private void label(Descriptor made) {
    Descriptor top =
        batch
            .add(new FileCall.Openat(made, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, false))
            .descriptor();
    byte[] value = (mountLabel + "\0").getBytes(java.nio.charset.StandardCharsets.UTF_8);
    batch.add(new TreeCall.Fsetxattr(top, "security.selinux", value));
    batch.add(new FileCall.Close(top));
  }

  private void attach(Descriptor made, Descriptor target, MountOptions options) {
    batch.add(new MountCall.MoveMount(made, target));
    batch.add(new FileCall.Close(target));
    for (long propagation : options.propagation()) {
      setattr(made, (propagation & MS_REC) != 0 ? AT_RECURSIVE : 0, 0, 0, propagation & ~MS_REC);
    }
    batch.add(new FileCall.Close(made));
  }

  /// Whether a mount is to have the mode of what it covers, as runc has it, which takes a question:
  /// see [#withModeBelow].
  public static boolean takesModeBelow(Mount mount) {
    return "tmpfs".equals(mount.type())
        && mount.options().stream().noneMatch(option -> option.startsWith("mode="))
        && !MountOptions.parse("tmpfs", mount.options()).bind();
  }

  /// The mount with that mode, where something is there.
  public static Mount withModeBelow(HelperKernel process, Descriptor root, Mount mount) {
    Batch batch = new Batch();
    Descriptor below =
        batch
            .attempt(
                new FileCall.Openat2(
                    root,
                    InRoot.relative(mount.destination()),
                    O_PATH | O_DIRECTORY | O_CLOEXEC,
                    0,
                    RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
                    false))
            .descriptor();
    Pending<Stat> stat = batch.attempt(new FileCall.Statx(below, "", AT_EMPTY_PATH));
    batch.add(new FileCall.Close(below));
    Results results = process.run(batch);
    if (!results.succeeded(stat)) return mount;
    List<String> options = new ArrayList<>(mount.options());
    options.add("mode=%04o".formatted(results.of(stat).mode() & 07777));
    return mount.withOptions(options);
  }

  private static String type(Mount mount) {
    return mount.type() == null ? "bind" : mount.type();
  }

  /// Whether a mount is to have what it covers, which takes a conversation: see [#copyUp].
  public static boolean copiesUp(Mount mount) {
    return "tmpfs".equals(mount.type()) && mount.options().contains("tmpcopyup");
  }

  /// Mounts a tmpfs with what is below it. It becomes read-only only when it is filled.
  public static void copyUp(
      HelperKernel process, Descriptor root, Mount mount, @Nullable String mountLabel) {
    MountOptions options = MountOptions.parse("tmpfs", mount.options());
    checkTarget(mount, "tmpfs", options);
    Batch batch = new Batch();
    FileSystemPlan plan = new FileSystemPlan(batch, root, mountLabel);
    Pending<Descriptor> made = plan.fresh("tmpfs", mount.source(), options.writable());
    // made where it is missing
    batch.add(new FileCall.Close(plan.inRoot.straight().directory(mount.destination())));
    String path = InRoot.relative(mount.destination());
    Pending<Descriptor> from =
        batch.add(
            new FileCall.Openat2(
                root,
                path,
                O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                0,
                RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
                false));
    Pending<Descriptor> to =
        batch.add(
            new FileCall.Openat(
                made.descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, false));
    Results results = process.run(batch);
    boolean takesMode = options.data().stream().noneMatch(data -> data.startsWith("mode="));
    CopyUp.copy(process, results.of(from), results.of(to), takesMode);
    Batch attaching = new Batch();
    FileSystemPlan rest = new FileSystemPlan(attaching, root);
    attaching.add(new FileCall.Close(results.of(from)));
    attaching.add(new FileCall.Close(results.of(to)));
    Descriptor tmpfs = results.of(made);
    if ((options.attributes() & MOUNT_ATTR_RDONLY) != 0)
      rest.setattr(tmpfs, 0, MOUNT_ATTR_RDONLY, 0, 0);
    rest.attach(tmpfs, rest.inRoot.straight().directory(mount.destination()), options);
    process.run(attaching);
  }

  private static void checkTarget(Mount mount, String type, MountOptions options) {
    String destination = mount.destination();
    List<String> names = InRoot.components(destination);
    if (names.isEmpty())
      throw new IllegalArgumentException(
          "mount destination " + destination + " is the root itself");
    if (!names.getFirst().equals("proc")) return;
    if (names.size() == 1) {
      // what is not procfs there would take what is written for the kernel (CVE-2019-16884)
      String source = mount.source() == null ? "" : mount.source();
      boolean procfs = options.bind() ? source.matches("/+proc/*") : type.equals("proc");
      if (procfs) return;
      throw new IllegalArgumentException(
          "mount destination " + destination + ": not allowed, only procfs is");
    }
    if (PROC_TARGETS.contains(String.join("/", names.subList(1, names.size())))) return;
    throw new IllegalArgumentException(
        "mount destination " + destination + " is inside /proc: not allowed");
  }

  private void setattr(Descriptor mount, int flags, long set, long clear, long propagation) {
    batch.add(
        new MountCall.MountSetattr(mount, flags, set, clear, propagation, new Descriptor.Known(0)));
  }

  private Descriptor bound(Mount mount, MountOptions options, @Nullable Descriptor prepared) {
    String source = mount.source() == null ? "" : mount.source();
    int flags = OPEN_TREE_CLONE | (options.recursiveBind() ? AT_RECURSIVE : 0);
    Descriptor tree =
        prepared != null
            ? prepared
            : batch.add(new MountCall.OpenTree(Descriptor.CWD, source, flags)).descriptor();
    if (options.attributes() != 0 || options.cleared() != 0) {
      setattr(tree, 0, options.attributes(), options.cleared(), 0);
    }
    recursive(tree, options);
    return tree;
  }

  private void recursive(Descriptor tree, MountOptions options) {
    if (options.recursive() == 0 && options.recursiveCleared() == 0) return;
    setattr(
        tree,
        AT_RECURSIVE,
        options.recursive(),
        options.recursiveCleared() & ~options.recursive() | atime(options),
        0);
  }

  private static long atime(MountOptions options) {
    return options.recursiveCleared() & MOUNT_ATTR__ATIME;
  }

  private Descriptor mounted(String type, @Nullable String source, MountOptions options) {
    return fresh(type, source, options).descriptor();
  }

  private Pending<Descriptor> fresh(String type, @Nullable String source, MountOptions options) {
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
    if (mountLabel != null && !UNLABELLED.contains(type))
      batch.add(new MountCall.Fsconfig(context, FSCONFIG_SET_STRING, "context", mountLabel));
    batch.add(new MountCall.Fsconfig(context, FSCONFIG_CMD_CREATE, null, null));
    Pending<Descriptor> made =
        batch.add(new MountCall.Fsmount(context, (int) options.attributes()));
    batch.add(new FileCall.Close(context));
    recursive(made.descriptor(), options);
    return made;
  }

  /// Whose cgroup namespace a container is in: its own has the container's cgroup as its root.
  public enum CgroupNamespace {
    OWN,
    JOINED,
    CALLERS
  }

  /// One hierarchy to show in a `cgroup` mount.
  ///
  /// @param options of the filesystem: controllers, or `name=…`
  /// @param own the directory of the container itself
  public record CgroupView(String name, List<String> options, String own) {}

  /// A mount of type cgroup: cgroup2 as it is, which is where `/proc/self/cgroup` leads; v1 as a
  /// tmpfs with a directory per hierarchy, where the container's own is bound: to who is in it,
  /// that looks as a mount from within.
  ///
  /// @param userNamespace whether the container is in one: there only a cgroup namespace that
  ///   belongs to it can be mounted, and the container's own cgroup is bound in place of the
  ///   caller's
  public void cgroup(
      Mount mount,
      boolean unified,
      CgroupNamespace namespace,
      boolean userNamespace,
      List<CgroupView> views) {
    MountOptions options = MountOptions.parse("cgroup", mount.options());
    if (unified) {
      boolean bound = namespace == CgroupNamespace.CALLERS && userNamespace;
      mount(
          new Mount(
              mount.destination(),
              bound ? "bind" : "cgroup2",
              bound ? views.getFirst().own() : "cgroup",
              mount.options(),
              List.of(),
              List.of(),
              mount.unknown()),
          true);
      return;
    }
    MountOptions none =
        MountOptions.parse("tmpfs", List.of("mode=755", "nosuid", "nodev", "noexec"));
    Descriptor tmpfs = mounted("tmpfs", "tmpfs", none);
    Descriptor target = inRoot.straight().directory(mount.destination());
    batch.add(new MountCall.MoveMount(tmpfs, target));
    batch.add(new FileCall.Close(target));
    for (CgroupView view : views) {
      Descriptor made;
      if (namespace == CgroupNamespace.JOINED) {
        made =
            mounted(
                "cgroup",
                "cgroup",
                new MountOptions(
                    false,
                    false,
                    options.attributes(),
                    0,
                    0,
                    0,
                    List.of(),
                    List.of(),
                    view.options(),
                    false));
      } else {
        made =
            batch
                .add(new MountCall.OpenTree(Descriptor.CWD, view.own(), OPEN_TREE_CLONE))
                .descriptor();
        setattr(made, 0, options.attributes(), 0, 0);
      }
      batch.add(new FileCall.Mkdirat(tmpfs, view.name(), 0755));
      Descriptor place =
          batch
              .add(
                  new FileCall.Openat(
                      tmpfs, view.name(), O_PATH | O_DIRECTORY | O_CLOEXEC, 0, false))
              .descriptor();
      batch.add(new MountCall.MoveMount(made, place));
      batch.add(new FileCall.Close(place));
      batch.add(new FileCall.Close(made));
      if (view.name().contains(",")) {
        for (String controller : view.name().split(",")) {
          batch.add(new FileCall.Symlinkat(view.name(), tmpfs, controller), Errno.EEXIST);
        }
      }
    }
    if ((options.attributes() & MOUNT_ATTR_RDONLY) != 0) setattr(tmpfs, 0, MOUNT_ATTR_RDONLY, 0, 0);
    batch.add(new FileCall.Close(tmpfs));
  }

  private record Node(String name, int major, int minor) {}

  private static final List<Node> NODES =
      List.of(
          new Node("null", 1, 3),
          new Node("zero", 1, 5),
          new Node("full", 1, 7),
          new Node("tty", 5, 0),
          new Node("random", 1, 8),
          new Node("urandom", 1, 9));

  /// The default devices and symlinks, and the spec's own devices. In a user namespace nodes cannot
  /// be made, so the host's are bound.
  public void devices(Linux linux, boolean userNamespace) {
    Descriptor dev = inRoot.directory("dev");
    Set<String> given = linux.devices().stream().map(Device::path).collect(Collectors.toSet());
    for (Node node : NODES) {
      if (given.contains("/dev/" + node.name())) continue;
      if (userNamespace) bindNode("/dev/" + node.name());
      else {
        batch.add(
            new FileCall.Mknodat(dev, node.name(), 0020666, device(node.major(), node.minor())),
            Errno.EEXIST);
      }
    }
    for (Device device : linux.devices()) device(device, userNamespace);
    for (String[] link :
        new String[][] {
          {"/proc/self/fd", "fd"},
          {"/proc/self/fd/0", "stdin"},
          {"/proc/self/fd/1", "stdout"},
          {"/proc/self/fd/2", "stderr"}
        }) {
      batch.add(new FileCall.Symlinkat(link[0], dev, link[1]), Errno.EEXIST);
    }
    batch.add(new FileCall.Unlinkat(dev, "ptmx", 0), Errno.ENOENT, Errno.EROFS, Errno.EBUSY);
    batch.add(new FileCall.Symlinkat("pts/ptmx", dev, "ptmx"), Errno.EEXIST, Errno.EROFS);
    batch.add(new FileCall.Close(dev));
  }

  private void device(Device device, boolean userNamespace) {
    if (userNamespace && !device.type().equals("p")) {
      bindNode(device.path());
      return;
    }
    int format =
        switch (device.type()) {
          case "b" -> 0060000;
          case "p" -> 0010000;
          default -> 0020000;
        };
    int mode = device.fileMode() == null ? 0666 : (int) (device.fileMode() & 0777);
    List<String> names = InRoot.components(device.path());
    Descriptor parent = inRoot.directory(String.join("/", names.subList(0, names.size() - 1)));
    String name = names.getLast();
    batch.add(
        new FileCall.Mknodat(
            parent, name, format | mode, device((int) device.major(), (int) device.minor())),
        Errno.EEXIST);
    int uid = device.uid() == null ? 0 : device.uid().intValue();
    int gid = device.gid() == null ? 0 : device.gid().intValue();
    if (uid != 0 || gid != 0)
      batch.add(new FileCall.Fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW));
  }

  private void bindNode(String path) {
    Descriptor node =
        batch.add(new MountCall.OpenTree(Descriptor.CWD, path, OPEN_TREE_CLONE)).descriptor();
    Descriptor place = inRoot.file(path);
    batch.add(new MountCall.MoveMount(node, place));
    batch.add(new FileCall.Close(place));
    batch.add(new FileCall.Close(node));
  }

  static long device(int major, int minor) {
    return (minor & 0xffL) | (major & 0xfffL) << 8 | (minor & ~0xffL) << 12;
  }

  /// Binds an open terminal, made in the container's own devpts, to /dev/console.
  public void console(Descriptor terminal) {
    Descriptor mount =
        batch
            .add(new MountCall.OpenTree(terminal, "", OPEN_TREE_CLONE | AT_EMPTY_PATH))
            .descriptor();
    Descriptor place = inRoot.file("dev/console");
    batch.add(new MountCall.MoveMount(mount, place));
    batch.add(new FileCall.Close(place));
    batch.add(new FileCall.Close(mount));
  }

  /// The working directory, made where it is missing.
  public void workingDirectory(String cwd) {
    if (!InRoot.components(cwd).isEmpty()) batch.add(new FileCall.Close(inRoot.directory(cwd)));
  }

  /// Exchanges the root: the old one is stacked over the new, cut off from the host's propagation
  /// and detached (pivot_root(2), "pivot_root(".", ".")").
  public void pivot() {
    Descriptor old = batch.add(FileCall.Openat.existing("/", O_PATH | O_DIRECTORY)).descriptor();
    batch.add(new ProcessCall.Fchdir(root));
    batch.add(new MountCall.PivotRoot(".", "."));
    batch.add(new ProcessCall.Fchdir(old));
    batch.add(new MountCall.Mount("", ".", "", MS_SLAVE | MS_REC, null));
    batch.add(new MountCall.Umount2(".", MNT_DETACH));
    batch.add(new ProcessCall.Chdir("/"));
    batch.add(new FileCall.Close(old));
  }

  /// Makes subtrees read-only; those that do not exist are passed over.
  public void readonlyPaths(List<String> paths) {
    for (String path : paths) {
      if (InRoot.components(path).isEmpty()) {
        // what is mounted over the root is not seen by those whose root is below it
        setattr(root, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0);
        continue;
      }
      Descriptor target = probe(path);
      Descriptor tree =
          batch
              .add(
                  new MountCall.OpenTree(
                      target, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH))
              .descriptor();
      setattr(tree, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0);
      batch.add(new MountCall.MoveMount(tree, target));
      batch.add(new FileCall.Close(tree));
      batch.add(new FileCall.Close(target));
    }
  }

  private FileCall.Openat2 inRootPath(String path, int flags) {
    return new FileCall.Openat2(
        root, InRoot.relative(path), O_PATH | O_CLOEXEC | flags, 0, RESOLVE_IN_ROOT, false);
  }

  private Descriptor probe(String path) {
    return batch.add(inRootPath(path, 0), Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES).descriptor();
  }

  /// What is known of masked paths only when the calls were made.
  ///
  /// @param nothing the container's /dev/null, bound over what is no directory
  public record Masking(@Nullable Pending<Stat> nothing, List<Pending<Descriptor>> files) {
    public Masking {
      files = List.copyOf(files);
    }

    /// Fails where something other than the null device was bound over a path, or nothing at all
    /// (CVE-2025-31133).
    public void check(Results results) {
      if (files.stream().noneMatch(results::succeeded)) return;
      if (nothing != null
          && results.succeeded(nothing)
          && results.of(nothing).isCharacterDevice(1, 3)) return;
      throw new IllegalArgumentException(
          "masking paths: /dev/null of the container is not the null device");
    }
  }

  /// Hides paths: a directory below an empty read-only tmpfs, anything else below /dev/null. Those
  /// that do not exist are passed over. Before anything runs in the container, [Masking#check] must
  /// have seen the results.
  public Masking maskedPaths(List<String> paths) {
    if (paths.isEmpty()) return new Masking(null, List.of());
    Descriptor empty =
        mounted(
            "tmpfs",
            "tmpfs",
            MountOptions.parse("tmpfs", List.of("ro", "nr_blocks=1", "nr_inodes=1")));
    Pending<Descriptor> nothing =
        batch.add(inRootPath("dev/null", O_NOFOLLOW), Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP);
    Pending<Stat> device = batch.add(new FileCall.Statx(nothing.descriptor(), "", AT_EMPTY_PATH));
    List<Pending<Descriptor>> files = new ArrayList<>();
    for (String path : paths) {
      Pending<Descriptor> directory =
          batch.add(inRootPath(path, O_DIRECTORY), Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES);
      coverWithDetached(directory, empty);
      Pending<Descriptor> file =
          batch.addIfFailed(
              directory,
              Errno.ENOTDIR,
              inRootPath(path, 0),
              Errno.ENOENT,
              Errno.ENOTDIR,
              Errno.EACCES);
      cover(file, nothing.descriptor());
      files.add(file);
    }
    batch.add(new FileCall.Close(nothing.descriptor()));
    batch.add(new FileCall.Close(empty));
    return new Masking(device, files);
  }

  /// Before Linux 6.15 a mount that is not attached cannot be cloned: then the first target gets
  /// the mount itself, and as it is attached by that, the next ones get clones.
  private void coverWithDetached(Pending<Descriptor> target, Descriptor with) {
    Pending<Descriptor> copy =
        batch.addIfDone(
            target,
            new MountCall.OpenTree(with, "", OPEN_TREE_CLONE | AT_EMPTY_PATH),
            Errno.EINVAL);
    batch.addIfFailed(copy, Errno.EINVAL, new MountCall.MoveMount(with, target.descriptor()));
    batch.add(new MountCall.MoveMount(copy.descriptor(), target.descriptor()));
    batch.add(new FileCall.Close(copy.descriptor()));
    batch.add(new FileCall.Close(target.descriptor()));
  }

  /// Nothing happens where there is no target.
  private void cover(Pending<Descriptor> target, Descriptor with) {
    MountCall.OpenTree duplicate =
        new MountCall.OpenTree(with, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
    Descriptor copy = batch.addIfDone(target, duplicate).descriptor();
    batch.add(new MountCall.MoveMount(copy, target.descriptor()));
    batch.add(new FileCall.Close(copy));
    batch.add(new FileCall.Close(target.descriptor()));
  }

  /// Makes the root mount itself read-only.
  public void readonlyRoot() {
    setattr(root, 0, MOUNT_ATTR_RDONLY, 0, 0);
  }
}
