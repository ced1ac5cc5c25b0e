package io.jrun.image.source;

import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Stat;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.stream.Origin;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An image in a directory of the caller.
final class DirectoryFiles implements ImageFiles {
  private final CallerFiles caller;
  private final String directory;
  private final List<OwnedDescriptor> opened = new ArrayList<>();

  DirectoryFiles(CallerFiles caller, String directory) {
    this.caller = caller;
    this.directory = directory;
  }

  @Override
  public Optional<Origin> find(String path) {
    OwnedDescriptor file;
    try {
      file = caller.open(directory + "/" + ImageFiles.inside(path));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return Optional.empty();
      throw e;
    }
    opened.add(file);
    Stat stat = caller.stat(file);
    if ((stat.mode() & Stat.S_IFMT) != Stat.S_IFREG) return Optional.empty();
    return Optional.of(Origin.range(caller.kernel(), file, 0, stat.size()));
  }

  @Override
  public void close() {
    opened.forEach(OwnedDescriptor::close);
  }
}
