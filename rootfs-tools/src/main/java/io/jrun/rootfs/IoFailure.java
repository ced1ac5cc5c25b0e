package io.jrun.rootfs;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/// Failures of the JDK's file operations in one clear line.
public final class IoFailure {
  private IoFailure() {}

  /// @param step what was being done
  public static RootfsException of(String step, IOException e) {
    return new RootfsException(step + ": " + text(e), e);
  }

  private static String text(IOException e) {
    if (!(e instanceof FileSystemException f)) {
      return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
    String why =
        f.getReason() != null
            ? f.getReason()
            : switch (f) {
              case NoSuchFileException missing -> "no such file or directory";
              case AccessDeniedException denied -> "permission denied";
              default -> f.getClass().getSimpleName();
            };
    return f.getFile() + ": " + why;
  }
}
