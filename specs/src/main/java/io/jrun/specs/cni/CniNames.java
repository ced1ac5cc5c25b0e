package io.jrun.specs.cni;

import java.util.regex.Pattern;

/// Which names the specification and the kernel accept.
public final class CniNames {
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.\\-]*");
  private static final int IFNAMSIZ = 16;

  private CniNames() {}

  /// A container id or the name of a network.
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /// The name of a network interface: at most 15 characters (IFNAMSIZ with its NUL).
  public static boolean isInterface(String name) {
    if (name.isEmpty() || name.length() >= IFNAMSIZ || name.equals(".") || name.equals("..")) {
      return false;
    }
    return name.chars().noneMatch(c -> c == '/' || c == ':' || Character.isWhitespace(c));
  }
}
