package io.jrun.runtime.engine;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// The engine's mount namespace, in which the commands are that it serves (decision 91).
final class MountNamespace {
  private static final Path PROC = Path.of("/proc");

  private MountNamespace() {}

  /// Whether the engine is the last process in it. What root may not look at is outside of the
  /// container that root itself is in; to others it is root's, and may be here.
  static boolean hasNobodyElse(int uid) {
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      Path self = Files.readSymbolicLink(PROC.resolve("self"));
      Path own = namespace(self, uid);
      for (Path process : processes)
        if (!process.endsWith(self) && namespace(process, uid).equals(own)) return false;
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /// Its name, or another path that is none.
  private static Path namespace(Path process, int uid) throws IOException {
    try {
      return Files.readSymbolicLink(PROC.resolve(process).resolve("ns/mnt"));
    } catch (NoSuchFileException e) {
      return process; // it has ended
    } catch (AccessDeniedException e) {
      if (uid != 0) throw e;
      return process;
    }
  }
}
