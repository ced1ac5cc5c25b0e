package io.jrun.cni.file;

import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.stream.Stream;

/// Writes a file as one: whoever reads sees the old content or the new one.
public final class Replacement {
  private Replacement() {}

  /// Where a file's next content is written.
  public static Path aside(Path path) {
    return path.resolveSibling("." + path.getFileName() + ".new");
  }

  /// Writes beside the file, then renames; the caller holds a lock where several may write.
  public static void write(Kernel kernel, Path path, byte[] content, int mode) {
    String aside = aside(path).toString();
    int flags = FileCall.O_WRONLY | FileCall.O_TRUNC;
    OwnedDescriptor file =
        OwnedDescriptor.open(kernel, FileCall.Openat.creating(aside, flags, mode));
    try {
      try (file) {
        for (int at = 0; at < content.length; ) {
          byte[] rest = at == 0 ? content : Arrays.copyOfRange(content, at, content.length);
          at += kernel.call(new FileCall.Write(file.descriptor(), rest));
        }
      }
      kernel.call(
          new FileCall.Renameat2(Descriptor.CWD, aside, Descriptor.CWD, path.toString(), 0));
    } catch (RuntimeException e) {
      Undoing.suppressing(e, () -> kernel.call(new FileCall.Unlinkat(Descriptor.CWD, aside, 0)));
      throw e;
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
