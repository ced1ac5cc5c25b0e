package io.jrun.cni.file;

import io.jrun.kernel.IoReason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.stream.Stream;

/// Writes a file as one: whoever reads sees the old content or the new one.
public final class Replacement {
  private Replacement() {}

  /// Writes beside the file, then renames; the caller holds a lock where several may write.
  ///
  /// @param mode such as `rw-------`
  public static void write(Path path, byte[] content, String mode) {
    Path aside = path.resolveSibling("." + path.getFileName() + ".new");
    Set<PosixFilePermission> permissions = PosixFilePermissions.fromString(mode);
    try {
      try (SeekableByteChannel file =
          Files.newByteChannel(
              aside,
              Set.of(
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(permissions))) {
        ByteBuffer left = ByteBuffer.wrap(content);
        while (left.hasRemaining()) file.write(left);
      }
      Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("write " + path + ": " + IoReason.of(e), e);
    }
  }

  /// Makes a directory that only its owner may enter, with its parents.
  public static void privateDirectory(Path path) {
    try {
      Files.createDirectories(
          path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (IOException e) {
      throw new UncheckedIOException("make directory " + path + ": " + IoReason.of(e), e);
    }
  }

  /// Gives a directory another name, which nothing has.
  public static void move(Path from, Path to) {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("move " + from + " to " + to + ": " + IoReason.of(e), e);
    }
  }

  /// Removes a directory with the files in it; none is as it should be.
  public static void removeAll(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) Files.deleteIfExists(file);
    } catch (NoSuchFileException e) {
      return;
    } catch (IOException e) {
      throw new UncheckedIOException("remove " + directory + ": " + IoReason.of(e), e);
    }
    try {
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new UncheckedIOException("remove " + directory + ": " + IoReason.of(e), e);
    }
  }
}
