package io.jrun.image.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;

/// Files that are there as a whole, after a crash too.
final class DurableFiles {
  private DurableFiles() {}

  static void directories(Path path) throws IOException {
    if (Files.isDirectory(path)) return;
    Files.createDirectories(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  /// Writes a file aside and gives it its name.
  static void write(Path aside, Path path, byte[] bytes) throws IOException {
    try (FileChannel out =
        FileChannel.open(aside, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) out.write(buffer);
      out.force(true);
    } catch (IOException e) {
      Files.deleteIfExists(aside);
      throw e;
    }
    publish(aside, path);
  }

  /// Gives a file, which is on the disk already, its name.
  static void publish(Path aside, Path path) throws IOException {
    Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE);
    sync(Objects.requireNonNull(path.getParent()));
  }

  static void sync(Path directory) throws IOException {
    try (FileChannel opened = FileChannel.open(directory, StandardOpenOption.READ)) {
      opened.force(true);
    }
  }
}
