package io.jrun.rootfs.unpack;

/// What names that begin with `.wh.` (AUFS; image-spec's layer.md) and overlayfs's own marks mean.
public enum Whiteouts {
  /// Nothing: such names are names.
  LITERAL,
  /// They remove what earlier layers brought.
  APPLY,
  /// They become what overlayfs understands in an upper layer: devices 0/0 and `trusted.` marks.
  OVERLAY;

  static final String PREFIX = ".wh.";
  static final String OPAQUE = ".wh..wh..opq";

  /// Other names that AUFS kept for itself; they are not part of the tree.
  static final String OWN = ".wh..wh.";
}
