package io.jrun.image.source;

import io.jrun.image.ImageException;
import io.jrun.rootfs.stream.Origin;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/// The files of an image, wherever they lie.
public interface ImageFiles extends AutoCloseable {
  /// No document of an image is larger (registries set the same limit).
  int MOST_DOCUMENT = 4 << 20;

  /// A file's content; empty where there is no such file.
  Optional<Origin> find(String path);

  @Override
  void close();

  /// A path from the top of the image on, without `..`, which leads no further up than there.
  static String inside(String path) {
    return Path.of("/" + path).normalize().toString().substring(1);
  }

  default Origin need(String path) {
    return find(path).orElseThrow(() -> new ImageException("the image lacks its file " + path));
  }

  /// A small file as a whole.
  static byte[] bytes(String path, Origin origin) {
    long size = origin.size().orElseThrow();
    if (size > MOST_DOCUMENT) {
      throw new ImageException(path + " has " + size + " bytes, too many for a document");
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) size);
    while (buffer.hasRemaining()) {
      if (origin.read(buffer) <= 0) throw new ImageException(path + " is truncated");
    }
    byte[] bytes = new byte[(int) size];
    buffer.flip().get(bytes);
    return bytes;
  }
}
