package io.jrun.rootfs.unpack;

/// What one unpacking may not exceed.
///
/// @param entries in all layers together
/// @param directories likewise; each is remembered until the end
/// @param bytes of one decoded stream
/// @param ratio of a decoded stream to what it came from
public record Limits(long entries, int directories, long bytes, long ratio) {
  public static final Limits DEFAULT = new Limits(20_000_000, 250_000, 1L << 40, 1100);
}
