package io.jrun.runtime.container;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SignalCall;
import java.nio.charset.StandardCharsets;

/// A process by pid and start time, so that a reused pid is never taken for it.
public record HostProcess(Kernel kernel, int pid, long startTime) {
  private static final int POLLIN = 1;
  private static final int STATE = 0;
  private static final int FLAGS = 6;
  private static final long PF_FORKNOEXEC = 0x40;
  private static final int START_TIME = 19;

  public static HostProcess of(Kernel kernel, int pid) {
    String[] stat = stat(kernel, pid);
    return new HostProcess(
        kernel, pid, stat.length > START_TIME ? Long.parseLong(stat[START_TIME]) : 0);
  }

  /// The fields of proc_pid_stat(5) from the third on; none where there is no such process.
  private static String[] stat(Kernel kernel, int pid) {
    String text = text(kernel, "/proc/" + pid + "/stat");
    return text.isEmpty() ? new String[0] : text.substring(text.lastIndexOf(')') + 2).split(" ");
  }

  /// A file of a process; empty where there is no such process.
  private static String text(Kernel kernel, String path) {
    try (OwnedDescriptor file =
        OwnedDescriptor.open(kernel, FileCall.Openat.existing(path, FileCall.O_RDONLY))) {
      return new String(
          kernel.call(new FileCall.Read(file.descriptor(), 2048)), StandardCharsets.UTF_8);
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT) || e.errno().equals(Errno.ESRCH)) return "";
      throw e;
    }
  }

  public boolean alive() {
    if (pid <= 0) return false;
    String[] stat = stat(kernel, pid);
    return stat.length > START_TIME
        && !stat[STATE].equals("Z")
        && !stat[STATE].equals("X")
        && Long.parseLong(stat[START_TIME]) == startTime;
  }

  /// Whether it has run a program since it was forked; false where it has ended and was waited for.
  public boolean hasExecuted() {
    String[] stat = stat(kernel, pid);
    return stat.length > START_TIME
        && Long.parseLong(stat[START_TIME]) == startTime
        && (Long.parseLong(stat[FLAGS]) & PF_FORKNOEXEC) == 0;
  }

  /// Who traces it (ptrace(2)); no process, where nobody does.
  HostProcess tracer() {
    String tracer =
        text(kernel, "/proc/" + pid + "/status")
            .lines()
            .filter(line -> line.startsWith("TracerPid:"))
            .findFirst()
            .orElse("TracerPid:0");
    return of(kernel, Integer.parseInt(tracer.substring("TracerPid:".length()).strip()));
  }

  /// What [#exe] says of a process that does not let users who are not root see it, as a waiting
  /// init does not.
  static final String HIDDEN = "(hidden)";

  /// What it runs, as proc_pid_exe(5) names it; empty where it has ended.
  String exe() {
    try {
      return kernel.call(new FileCall.Readlinkat(Descriptor.CWD, "/proc/" + pid + "/exe"));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT) || e.errno().equals(Errno.ESRCH)) return "";
      if (e.errno().equals(Errno.EACCES)) return HIDDEN;
      throw e;
    }
  }

  /// Sends a signal; false where the process has ended.
  public boolean signal(int signal) {
    try (OwnedDescriptor pidfd = pidfd()) {
      if (!alive()) return false;
      kernel.call(new SignalCall.PidfdSendSignal(pidfd.descriptor(), signal));
      return true;
    } catch (KernelException e) {
      if (isGone(e)) return false;
      throw e;
    }
  }

  /// Before Linux 6.9 pidfd_open(2) says EINVAL of a process that is just being reaped.
  private static boolean isGone(KernelException e) {
    return e.errno().equals(Errno.ESRCH)
        || e.errno().equals(Errno.EINVAL) && e.call() instanceof SignalCall.PidfdOpen;
  }

  private OwnedDescriptor pidfd() {
    return OwnedDescriptor.open(kernel, new SignalCall.PidfdOpen(pid));
  }

  /// Waits for the end; true when it came in time.
  boolean awaitEnd(long millis) {
    try (OwnedDescriptor pidfd = pidfd()) {
      if (!alive()) return true;
      return kernel.call(new DescriptorCall.Poll(pidfd.descriptor(), POLLIN, millis)) != 0;
    } catch (KernelException e) {
      if (isGone(e)) return true;
      throw e;
    }
  }
}
