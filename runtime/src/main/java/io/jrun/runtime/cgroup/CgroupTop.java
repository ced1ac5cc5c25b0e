package io.jrun.runtime.cgroup;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// /sys/fs/cgroup, held open. A path that begins there does not lead through sysfs, whose lock
/// (kernfs_rwsem in the kernel) is taken for long whenever a network interface comes or goes: a
/// walk from `/` would wait for the networks of this container and of all others.
final class CgroupTop implements AutoCloseable {
  static final String PATH = "/sys/fs/cgroup";
  private static final String WITHIN = PATH + "/";

  private final Kernel kernel;
  private final List<OwnedDescriptor> opened = new ArrayList<>();
  private int mount;
  private volatile Descriptor.@Nullable Named descriptor;

  CgroupTop(Kernel kernel) {
    this.kernel = kernel;
  }

  /// Where a call finds a path.
  record Place(Descriptor directory, String path) {}

  Place place(String path) {
    Descriptor.Named top = descriptor;
    return top == null || !leadsTo(path)
        ? new Place(Descriptor.CWD, path)
        : new Place(top, below(path));
  }

  /// What opens it, as a place where paths begin.
  static FileCall.Openat opening() {
    return FileCall.Openat.existing(PATH, FileCall.O_PATH | FileCall.O_DIRECTORY);
  }

  /// Whether a path leads through it.
  static boolean leadsTo(String path) {
    return path.startsWith(WITHIN);
  }

  /// The rest of a path that leads through it.
  static String below(String path) {
    return path.substring(WITHIN.length());
  }

  /// Opens what is mounted there now. What was there before stays open, as somebody may be using
  /// it.
  ///
  /// @param mount its id in mountinfo; 0 where nothing is mounted there
  synchronized void use(int mount) {
    if (mount == this.mount) return;
    this.mount = mount;
    descriptor = null;
    if (mount == 0) return;
    try {
      OwnedDescriptor top = OwnedDescriptor.open(kernel, opening());
      opened.add(top);
      descriptor = new Descriptor.Named(top.number(), PATH);
    } catch (KernelException e) {
      // the whole path is as good
    }
  }

  @Override
  public synchronized void close() {
    descriptor = null;
    mount = 0;
    opened.forEach(OwnedDescriptor::close);
    opened.clear();
  }
}
