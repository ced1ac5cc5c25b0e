package io.jrun.runtime.cli;

import java.util.List;

/// A sandbox as `jrun sandbox list` shows it.
///
/// @param pid of its pause process in the caller's pid namespace; 0 when that has ended
/// @param addresses each with a prefix
/// @param containers their ids
/// @param created RFC 3339 with nanoseconds
public record SandboxSummary(
    String name,
    int pid,
    String status,
    List<String> addresses,
    List<String> containers,
    String created) {
  public SandboxSummary {
    addresses = List.copyOf(addresses);
    containers = List.copyOf(containers);
  }
}
