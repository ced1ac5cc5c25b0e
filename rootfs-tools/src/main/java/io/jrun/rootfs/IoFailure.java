package io.jrun.rootfs;

import io.jrun.kernel.IoReason;
import java.io.IOException;
import java.nio.file.FileSystemException;

/// Failures of the JDK's file operations in one clear line.
public final class IoFailure {
  private IoFailure() {}

  /// @param step what was being done
  public static RootfsException of(String step, IOException e) {
    return new RootfsException(step + ": " + text(e), e);
  }

  private static String text(IOException e) {
    String why = IoReason.of(e);
    return e instanceof FileSystemException f ? f.getFile() + ": " + why : why;
  }
}
