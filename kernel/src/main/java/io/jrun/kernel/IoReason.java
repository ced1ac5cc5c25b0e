package io.jrun.kernel;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/// Why one of the JDK's file operations failed, in the kernel's words: its exceptions' messages are
/// class names and paths.
public final class IoReason {
  private IoReason() {}

  public static String of(IOException e) {
    if (!(e instanceof FileSystemException f))
      return e.getMessage() == null ? e.getClass().getSimpleName() : asTheKernel(e.getMessage());
    if (f.getReason() != null) return asTheKernel(f.getReason());
    return switch (f) {
      case NoSuchFileException missing -> "no such file or directory";
      case AccessDeniedException denied -> "permission denied";
      case FileAlreadyExistsException there -> "file exists";
      case NotDirectoryException file -> "not a directory";
      case DirectoryNotEmptyException full -> "directory not empty";
      default -> f.getClass().getSimpleName();
    };
  }

  /// What strerror(3) has begun with a capital letter.
  private static String asTheKernel(String text) {
    boolean isSentence = text.length() > 1 && Character.isLowerCase(text.charAt(1));
    return isSentence ? Character.toLowerCase(text.charAt(0)) + text.substring(1) : text;
  }
}
