package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.specs.runtime.Device;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// What is in the container's `/dev`: the default devices and symlinks, the config's own devices,
/// and the console.
public final class DevicePlan {
  private record Node(String name, int major, int minor) {}

  private static final List<Node> NODES =
      List.of(
          new Node("null", 1, 3),
          new Node("zero", 1, 5),
          new Node("full", 1, 7),
          new Node("tty", 5, 0),
          new Node("random", 1, 8),
          new Node("urandom", 1, 9));

  private final Batch batch;
  private final InRoot inRoot;

  /// @param root as [MountPlan] takes it
  public DevicePlan(Batch batch, Descriptor root) {
    this.batch = batch;
    this.inRoot = new InRoot(batch, root);
  }

  /// The default ones and those of the config. In a user namespace nodes cannot be made, so the
  /// host's are bound.
  public void devices(List<Device> devices, boolean userNamespace) {
    Descriptor dev = inRoot.directory("dev");
    Set<String> given = devices.stream().map(Device::cleanPath).collect(Collectors.toSet());
    for (Node node : NODES) {
      if (given.contains("/dev/" + node.name())) continue;
      if (userNamespace) bind("/dev/" + node.name());
      else {
        batch.add(
            new FileCall.Mknodat(dev, node.name(), 0020666, makedev(node.major(), node.minor())),
            Errno.EEXIST);
      }
    }
    for (Device device : devices)
      batch.during("making the device " + device.path(), () -> device(device, userNamespace));
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
      bind(device.cleanPath());
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
            parent, name, format | mode, makedev((int) device.major(), (int) device.minor())),
        Errno.EEXIST);
    int uid = device.uid() == null ? 0 : device.uid().intValue();
    int gid = device.gid() == null ? 0 : device.gid().intValue();
    if (uid != 0 || gid != 0)
      batch.add(new FileCall.Fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW));
  }

  private void bind(String path) {
    bind(new MountCall.OpenTree(Descriptor.CWD, path, OPEN_TREE_CLONE), path);
  }

  /// Binds an open terminal, made in the container's own devpts, to /dev/console.
  public void console(Descriptor terminal) {
    bind(new MountCall.OpenTree(terminal, "", OPEN_TREE_CLONE | AT_EMPTY_PATH), "dev/console");
  }

  private void bind(MountCall.OpenTree source, String path) {
    Descriptor mount = batch.add(source).descriptor();
    DetachedMounts.attach(batch, mount, inRoot.file(path));
    batch.add(new FileCall.Close(mount));
  }

  static long makedev(int major, int minor) {
    return (minor & 0xffL) | (major & 0xfffL) << 8 | (minor & ~0xffL) << 12;
  }
}
