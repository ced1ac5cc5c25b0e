package io.jrun.runtime.cli;

import java.time.Instant;
import java.util.List;

/// The process that called jrun.
public interface Caller {
  /// Writes to its standard output.
  void out(String text);

  /// Writes to its standard error.
  void err(String text);

  /// Appends to a file, which is made when it is missing; the path is relative to the caller's
  /// working directory.
  void appendToFile(String path, String text);

  /// The standard output of a command; a command that fails is a RuntimeException.
  String run(List<String> command);

  Instant now();
}
