package io.jrun.specs.task;

/// Where a process's standard streams go, as containerd names it: a FIFO's path, `file://`,
/// `binary://`, or empty for nowhere.
public record StdioPaths(String stdin, String stdout, String stderr, boolean terminal) {
  public boolean isEmpty() {
    return stdin.isEmpty() && stdout.isEmpty() && stderr.isEmpty();
  }
}
