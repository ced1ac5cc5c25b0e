package io.jrun.rootfs.unpack;

import io.jrun.kernel.call.Names;
import io.jrun.rootfs.RootfsException;
import java.util.ArrayList;
import java.util.List;

/// Names in archives as paths below the root: without `.`, `..`, empty parts and slashes around
/// them. What would lead above the root stays at it, as a `..` in `/` does.
final class Paths {
  private static final int NAME_MAX = 255;
  private static final int PATH_MAX = 4095;

  private Paths() {}

  /// The path of an entry; empty for the root.
  static String of(String name) {
    return isClean(name) ? checked(name) : checked(String.join("/", parts(name)));
  }

  private static boolean isClean(String name) {
    int start = 0;
    int length = name.length();
    if (length == 0) return false;
    for (int i = 0; i <= length; i++) {
      if (i < length && name.charAt(i) != '/') continue;
      int part = i - start;
      if (part == 0
          || name.charAt(start) == '.'
              && (part == 1 || part == 2 && name.charAt(start + 1) == '.')) {
        return false;
      }
      start = i + 1;
    }
    return true;
  }

  static List<String> parts(String name) {
    List<String> parts = new ArrayList<>();
    for (String part : name.split("/")) {
      switch (part) {
        case "", "." -> {}
        case ".." -> {
          if (!parts.isEmpty()) parts.removeLast();
        }
        default -> parts.add(part);
      }
    }
    return parts;
  }

  private static String checked(String path) {
    if (path.indexOf('\0') >= 0) {
      throw new RootfsException("a name has a NUL byte in it: " + path.replace('\0', '?'));
    }
    if (path.length() <= NAME_MAX / 3) return path;
    if (Names.encode(path).length > PATH_MAX) throw tooLong(path, "path", PATH_MAX);
    for (String part : path.split("/")) {
      if (part.length() > NAME_MAX / 4 && Names.encode(part).length > NAME_MAX) {
        throw tooLong(path, "name", NAME_MAX);
      }
    }
    return path;
  }

  private static RootfsException tooLong(String path, String what, int most) {
    return new RootfsException(
        path.substring(0, Math.min(64, path.length()))
            + "...: the "
            + what
            + " is longer than "
            + most
            + " bytes");
  }

  /// The directory's path; empty for the root.
  static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? "" : path.substring(0, slash);
  }

  static String name(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  static String join(String directory, String name) {
    return directory.isEmpty() ? name : directory + "/" + name;
  }
}
