package io.jrun.runtime.container;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import java.nio.file.Path;

/// The state directory of a user who has no $XDG_RUNTIME_DIR, in a directory that is everybody's.
final class PrivateDirectory {
  private static final int OTHERS = 077;

  private PrivateDirectory() {}

  /// Makes it where it is missing; refuses one that another user could have prepared.
  static Path in(Kernel kernel, String parent, int uid) {
    String path = parent + "/jrun-" + Integer.toUnsignedString(uid);
    try {
      kernel.call(new FileCall.Mkdirat(Descriptor.CWD, path, 0700));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.EEXIST)) throw e;
    }
    Stat stat = kernel.call(new FileCall.Statx(Descriptor.CWD, path, FileCall.AT_SYMLINK_NOFOLLOW));
    if (!stat.isDirectory() || stat.uid() != uid || (stat.mode() & OTHERS) != 0)
      throw new ContainerException(path + ": not a private directory of this user");
    return Path.of(path);
  }
}
