package io.jrun.runtime.container;

import io.jrun.kernel.call.Descriptor;

/// Numbers at which descriptors are kept from one batch to the next, above those that a caller may
/// have preserved. 200 and 201 are those of [io.jrun.runtime.process.SealedExe] and [Foreground].
final class Slots {
  /// The container's cgroup directory, in the parent during the clone and in the child after it.
  static final int CGROUP = 202;

  /// The root file system's mount, in init.
  static final int ROOT = 203;

  /// A pidfd of the container's init, in an exec'd process and its parent.
  static final int INIT = 204;

  /// How many descriptors a caller may preserve.
  static final int MOST_PRESERVED = 190;

  private Slots() {}

  static Descriptor descriptor(int slot) {
    return new Descriptor.Known(slot);
  }
}
