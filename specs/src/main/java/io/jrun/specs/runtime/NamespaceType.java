package io.jrun.specs.runtime;

import java.util.Locale;

/// The kinds of namespaces(7), by their names in config.json.
public enum NamespaceType {
  PID,
  NETWORK,
  MOUNT,
  IPC,
  UTS,
  USER,
  CGROUP,
  TIME;

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
