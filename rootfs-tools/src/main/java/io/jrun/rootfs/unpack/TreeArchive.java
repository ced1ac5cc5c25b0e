package io.jrun.rootfs.unpack;

import io.jrun.kernel.OwnedDescriptor;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.stream.Origin;

/// An archive of a tree of files, ready to be unpacked.
///
/// @param taken what was read of a stream already; empty for a file
public record TreeArchive(
    OwnedDescriptor file, Origin origin, byte[] taken, Compression compression)
    implements AutoCloseable {
  @Override
  public void close() {
    file.close();
    origin.close();
  }
}
