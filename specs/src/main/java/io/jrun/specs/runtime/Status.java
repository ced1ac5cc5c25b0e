package io.jrun.specs.runtime;

import java.util.Locale;

/// A container's status; `paused` is runc's addition to the specification's four.
public enum Status {
  CREATING,
  CREATED,
  RUNNING,
  PAUSED,
  STOPPED;

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
