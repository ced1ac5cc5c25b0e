package io.jrun.specs.task;

/// `containerd.v1.types.Status`, in the order of its numbers.
public enum TaskStatus {
  UNKNOWN,
  CREATED,
  RUNNING,
  STOPPED,
  PAUSED,
  PAUSING;

  @SuppressWarnings("EnumOrdinal") // they are written down in that order
  public int number() {
    return ordinal();
  }
}
