package io.jrun.specs.cni;

/// Which names the specification and the kernel accept.
public final class CniNames {
  private static final int IFNAMSIZ = 16;

  private CniNames() {}

  /// A container id or the name of a network: a letter or digit, then also `_`, `.` and `-`.
  public static boolean isName(String name) {
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean isPlain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
      if (!isPlain && (i == 0 || c != '_' && c != '.' && c != '-')) return false;
    }
    return !name.isEmpty();
  }

  /// The name of a network interface: at most 15 characters (IFNAMSIZ with its NUL).
  public static boolean isInterface(String name) {
    if (name.isEmpty() || name.length() >= IFNAMSIZ || name.equals(".") || name.equals("..")) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == '/' || c == ':' || Character.isWhitespace(c)) return false;
    }
    return true;
  }
}
