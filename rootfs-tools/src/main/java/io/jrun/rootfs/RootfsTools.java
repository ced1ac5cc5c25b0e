package io.jrun.rootfs;

import io.jrun.kernel.OwnedDescriptor;
import io.jrun.rootfs.unpack.Report;
import io.jrun.rootfs.unpack.UnpackOptions;

/// What `jrun rootfs` does for one caller.
public final class RootfsTools {
  private final CallerFiles caller;

  public RootfsTools(CallerFiles caller) {
    this.caller = caller;
  }

  /// Whether the caller may set owners and make devices.
  public boolean isPrivileged() {
    return caller.isPrivileged();
  }

  /// Unpacks a source, `-` being standard input, to a directory that is missing or empty.
  public Report unpack(String source, String directory, UnpackOptions options) {
    try (OwnedDescriptor file = caller.open(source)) {
      return Unpacking.archive(caller, file, directory, options);
    }
  }
}
