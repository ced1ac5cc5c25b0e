package io.jrun.runtime.shim;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.TreeCall;
import io.jrun.kernel.wire.KeeperState;
import java.nio.file.Path;

/// The helper of this engine's build, also after another was installed in its place.
record ShimProgram(OwnedDescriptor file, EntryStat stat) {
  static ShimProgram open(Kernel kernel, Path path) {
    int flags = FileCall.O_RDONLY | FileCall.O_CLOEXEC;
    OwnedDescriptor file =
        OwnedDescriptor.open(
            kernel, new FileCall.Openat(Descriptor.CWD, path.toString(), flags, 0, false));
    return new ShimProgram(
        file, kernel.call(new TreeCall.StatEntry(Descriptor.CWD, path.toString())));
  }

  /// Whether it is what that keeper runs.
  boolean is(KeeperState keeper) {
    return keeper.exeInode() == stat.inode()
        && keeper.exeSize() == stat.size()
        && keeper.exeSeconds() == stat.modifySeconds();
  }
}
