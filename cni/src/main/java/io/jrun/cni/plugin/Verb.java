package io.jrun.cni.plugin;

import java.util.Locale;

/// What a plugin is asked, the value of CNI_COMMAND.
public enum Verb {
  ADD,
  DEL,
  CHECK,
  GC,
  STATUS,
  VERSION;

  /// As libcni's messages say it.
  public String word() {
    return this == DEL ? "delete" : name().toLowerCase(Locale.ROOT);
  }
}
