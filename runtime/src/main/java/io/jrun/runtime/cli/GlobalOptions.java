package io.jrun.runtime.cli;

import org.jspecify.annotations.Nullable;

/// The options before the command.
///
/// @param root the directory of the containers' state; empty when it was not given
/// @param log the log file; null for standard error
/// @param debug whether steps are logged
/// @param trace whether system calls are logged
/// @param rootless `true`, `false` or `auto`
public record GlobalOptions(
    String root,
    @Nullable String log,
    LogFormat logFormat,
    boolean debug,
    boolean trace,
    boolean systemdCgroup,
    String rootless) {
  public static final GlobalOptions DEFAULTS =
      new GlobalOptions("", null, LogFormat.TEXT, false, false, false, "auto");
}
