package io.jrun.runtime.shim;

import java.util.List;

/// The command line that containerd gives its shims: flags as Go's have it, then the action.
///
/// @param action `start`, `delete` or empty
record ShimLine(
    String namespace,
    String address,
    String id,
    String bundle,
    String action,
    boolean info,
    boolean version) {
  static ShimLine parse(List<String> argv) {
    String namespace = "";
    String address = "";
    String id = "";
    String bundle = "";
    String action = "";
    boolean info = false;
    boolean version = false;
    for (int i = 1; i < argv.size(); i++) {
      String argument = argv.get(i);
      if (!argument.startsWith("-")) {
        action = argument;
        continue;
      }
      String name = argument.substring(argument.startsWith("--") ? 2 : 1);
      String value = null;
      int equals = name.indexOf('=');
      if (equals >= 0) {
        value = name.substring(equals + 1);
        name = name.substring(0, equals);
      } else if (!name.matches("debug|v|info") && i + 1 < argv.size()) {
        value = argv.get(++i);
      }
      if (name.equals("info")) info = true;
      if (name.equals("v")) version = true;
      if (value == null) continue;
      switch (name) {
        case "namespace" -> namespace = value;
        case "address" -> address = value;
        case "id" -> id = value;
        case "bundle" -> bundle = value;
        default -> {
          // nothing that jrun needs to know
        }
      }
    }
    return new ShimLine(namespace, address, id, bundle, action, info, version);
  }
}
