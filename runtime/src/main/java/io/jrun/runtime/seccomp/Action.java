package io.jrun.runtime.seccomp;

import org.jspecify.annotations.Nullable;

/// What a filter returns for a system call (seccomp(2), SECCOMP_RET_*).
final class Action {
  static final int KILL_THREAD = 0;
  static final int KILL_PROCESS = 0x8000_0000;
  static final int TRAP = 0x0003_0000;
  static final int ERRNO = 0x0005_0000;
  static final int USER_NOTIF = 0x7fc0_0000;
  static final int TRACE = 0x7ff0_0000;
  static final int LOG = 0x7ffc_0000;
  static final int ALLOW = 0x7fff_0000;

  static final int ENOSYS = 38;
  private static final int EPERM = 1;
  private static final int MAX_ERRNO = 4095;
  private static final int MAX_TRACE = 0xffff;

  private Action() {}

  /// The value of an action's name, with its errno, which is EPERM by default.
  static int parse(String name, @Nullable Long errnoRet) {
    return switch (name) {
      case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD" -> KILL_THREAD;
      case "SCMP_ACT_KILL_PROCESS" -> KILL_PROCESS;
      case "SCMP_ACT_TRAP" -> TRAP;
      case "SCMP_ACT_ERRNO" -> ERRNO | data(errnoRet, MAX_ERRNO);
      case "SCMP_ACT_TRACE" -> TRACE | data(errnoRet, MAX_TRACE);
      case "SCMP_ACT_LOG" -> LOG;
      case "SCMP_ACT_ALLOW" -> ALLOW;
      case "SCMP_ACT_NOTIFY" -> USER_NOTIF;
      default -> throw new SeccompException("seccomp: unknown action \"" + name + "\"");
    };
  }

  private static int data(@Nullable Long errnoRet, int max) {
    if (errnoRet == null) {
      return EPERM;
    }
    if (errnoRet < 0 || errnoRet > max) {
      throw new SeccompException("seccomp: errnoRet " + errnoRet + " is above " + max);
    }
    return errnoRet.intValue();
  }

  /// Whether a system call that the profile's author never heard of goes on; a tracer emulates
  /// ENOSYS itself.
  static boolean isPermissive(int action) {
    return action == ALLOW || action == LOG || (action & 0xffff_0000) == TRACE;
  }
}
