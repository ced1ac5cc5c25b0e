package io.jrun.rootfs.tar;

/// A part of a sparse file that has data.
public record Extent(long offset, long length) {}
