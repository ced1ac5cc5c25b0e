package io.jrun.runtime.container;

import java.util.List;

/// Signals in words, as signal(7) and runc describe them.
final class SignalText {
  private static final List<String> TEXTS =
      List.of(
          "hangup",
          "interrupt",
          "quit",
          "illegal instruction",
          "trace/breakpoint trap",
          "aborted",
          "bus error",
          "floating point exception",
          "killed",
          "user defined signal 1",
          "segmentation fault",
          "user defined signal 2",
          "broken pipe",
          "alarm clock",
          "terminated",
          "stack fault",
          "child exited",
          "continued",
          "stopped (signal)",
          "stopped",
          "stopped (tty input)",
          "stopped (tty output)",
          "urgent I/O condition",
          "CPU time limit exceeded",
          "file size limit exceeded",
          "virtual timer expired",
          "profiling timer expired",
          "window changed",
          "I/O possible",
          "power failure",
          "bad system call");

  private SignalText() {}

  /// How a process has ended that a signal ended.
  static String ended(int signal) {
    String number = "signal " + signal;
    return signal <= TEXTS.size() ? number + ": " + TEXTS.get(signal - 1) : number;
  }
}
