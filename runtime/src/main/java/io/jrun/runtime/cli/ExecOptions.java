package io.jrun.runtime.cli;

import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The options of `jrun exec`.
///
/// @param args the command; empty only with a processFile
/// @param env `NAME=value` entries, added to the container's
/// @param user `uid[:gid]`, unparsed
/// @param cgroups `[controller:]path` entries, unparsed
public record ExecOptions(
    GlobalOptions global,
    String id,
    List<String> args,
    @Nullable String consoleSocket,
    @Nullable String pidfdSocket,
    @Nullable String cwd,
    List<String> env,
    boolean tty,
    @Nullable String user,
    List<Long> additionalGids,
    @Nullable String processFile,
    boolean detach,
    @Nullable String pidFile,
    @Nullable String processLabel,
    @Nullable String apparmor,
    boolean noNewPrivs,
    List<String> capabilities,
    int preserveFds,
    List<String> cgroups,
    boolean ignorePaused) {
  public ExecOptions {
    args = List.copyOf(args);
    env = List.copyOf(env);
    additionalGids = List.copyOf(additionalGids);
    capabilities = List.copyOf(capabilities);
    cgroups = List.copyOf(cgroups);
  }

  /// These options with each path of a file of the caller's own made absolute.
  public ExecOptions withPaths(UnaryOperator<String> absolute) {
    return new ExecOptions(
        global,
        id,
        args,
        consoleSocket == null ? null : absolute.apply(consoleSocket),
        pidfdSocket == null ? null : absolute.apply(pidfdSocket),
        cwd,
        env,
        tty,
        user,
        additionalGids,
        processFile,
        detach,
        pidFile == null ? null : absolute.apply(pidFile),
        processLabel,
        apparmor,
        noNewPrivs,
        capabilities,
        preserveFds,
        cgroups,
        ignorePaused);
  }
}
