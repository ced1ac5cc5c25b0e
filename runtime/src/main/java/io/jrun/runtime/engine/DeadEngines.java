package io.jrun.runtime.engine;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.LockFile;
import io.jrun.kernel.UnixConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/// What engines have left that are gone: those of builds and network namespaces that are no more
/// are started by nobody again. Their logs stay for a while, as they may tell why.
final class DeadEngines {
  private DeadEngines() {}

  /// @param age since an engine's last line
  static void remove(Kernel kernel, Path directory, Duration age) {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path lock : files.filter(file -> file.toString().endsWith(".lock")).toList()) {
        String path = lock.toString();
        remove(kernel, path.substring(0, path.length() - ".lock".length()), age);
      }
    } catch (IOException | KernelException e) {
      System.err.println("jrun: removing what dead engines have left: " + e);
    }
  }

  private static void remove(Kernel kernel, String files, Duration age) throws IOException {
    Instant limit = Instant.now().minus(age);
    for (String suffix : List.of(".lock", ".log"))
      if (changed(Path.of(files + suffix)).isAfter(limit)) return;
    // who starts an engine holds the lock until it listens, and looks whether it is still the file
    try (LockFile lock = LockFile.exclusive(kernel, Path.of(files + ".lock"))) {
      if (UnixConnection.isPossible(kernel, files + ".sock")) return;
      for (String suffix : List.of(".sock", ".log", ".lock"))
        Files.deleteIfExists(Path.of(files + suffix));
    }
  }

  private static Instant changed(Path path) throws IOException {
    try {
      return Files.getLastModifiedTime(path).toInstant();
    } catch (NoSuchFileException e) {
      return Instant.MIN;
    }
  }
}
