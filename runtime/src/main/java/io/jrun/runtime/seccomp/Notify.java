package io.jrun.runtime.seccomp;

import io.jrun.specs.runtime.Seccomp;
import java.util.Set;

/// System calls that an agent answers (SCMP_ACT_NOTIFY, seccomp_unotify(2)). The filter comes
/// before the agent has its descriptor, so calls that the process itself needs until then would
/// wait for nobody.
public final class Notify {
  private static final String ACTION = "SCMP_ACT_NOTIFY";

  /// Between the filter and the answer that brings the descriptor.
  private static final Set<String> NEEDED =
      Set.of(
          "prctl",
          "umask",
          "setgroups",
          "setresgid",
          "setresuid",
          "capset",
          "chdir",
          "getcwd",
          "statx",
          "faccessat2",
          "sendmsg");

  private Notify() {}

  public static boolean isUsed(Seccomp profile) {
    return profile.syscalls().stream().anyMatch(rule -> rule.action().equals(ACTION));
  }

  /// Whether a filter with these flags has a listener.
  public static boolean hasListener(int flags) {
    return (flags & FilterFlag.NEW_LISTENER) != 0;
  }

  static void check(Seccomp profile) {
    if (!isUsed(profile)) return;
    String path = profile.listenerPath();
    if (path == null || path.isEmpty())
      throw new SeccompException("seccomp: SCMP_ACT_NOTIFY needs a listenerPath");
    for (Seccomp.Syscall rule : profile.syscalls()) {
      if (!rule.action().equals(ACTION)) continue;
      for (String name : rule.names())
        if (NEEDED.contains(name))
          throw new SeccompException(
              "seccomp: SCMP_ACT_NOTIFY cannot be used for "
                  + name
                  + ": jrun makes it before the listener has its descriptor");
    }
  }
}
