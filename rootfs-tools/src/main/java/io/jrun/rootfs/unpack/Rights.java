package io.jrun.rootfs.unpack;

/// What the process that writes files may do.
public enum Rights {
  /// Set owners, make devices and attributes of `trusted.`: root's.
  ALL,
  /// Set those owners that its user namespace maps. Devices are left out, and overlayfs's marks are
  /// attributes of `user.` (overlayfs's `userxattr`).
  MAPPED,
  /// Its own files only: owners are recorded in `user.rootlesscontainers`, devices left out.
  OWN;

  boolean setsOwners() {
    return this != OWN;
  }

  /// The prefix of overlayfs's marks.
  String overlayMarks() {
    return this == ALL ? "trusted.overlay." : "user.overlay.";
  }
}
