package io.jrun.rootfs.stream;

import java.nio.ByteBuffer;

/// A piece of a stream in memory that a writer process has mapped too.
///
/// @param bytes the piece, from position 0 to its limit
/// @param address where the writer sees the first byte
/// @param isPassing whether the memory is not used again for what comes later, so that the writer
///   can let go of it
/// @param release what to call when nobody needs the piece any more
public record Segment(ByteBuffer bytes, long address, boolean isPassing, Runnable release) {}
