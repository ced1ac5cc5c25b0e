package io.jrun.image.commands;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;

/// Removes a tree of the engine's own user, without following symbolic links, by the engine itself.
final class OwnTree {
  private OwnTree() {}

  /// Returns whether nothing is left; something may be, that takes more rights or is mounted.
  static boolean remove(Path tree) {
    try {
      if (!(Files.newDirectoryStream(tree) instanceof SecureDirectoryStream<Path> entries)) {
        return false;
      }
      clear(entries);
      Files.delete(tree);
      return true;
    } catch (NoSuchFileException e) {
      return true;
    } catch (IOException | DirectoryIteratorException e) {
      return false;
    }
  }

  private static void clear(SecureDirectoryStream<Path> directory) throws IOException {
    try (SecureDirectoryStream<Path> entries = directory) {
      for (Path entry : entries) {
        Path name = entry.getFileName();
        boolean isDirectory =
            entries
                .getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .readAttributes()
                .isDirectory();
        if (isDirectory) {
          clear(entries.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS));
          entries.deleteDirectory(name);
        } else {
          entries.deleteFile(name);
        }
      }
    }
  }
}
