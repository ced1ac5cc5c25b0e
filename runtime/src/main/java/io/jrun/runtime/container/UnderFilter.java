package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Number;
import io.jrun.kernel.call.SecurityCall;
import io.jrun.runtime.seccomp.Filter;
import io.jrun.specs.runtime.Process;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Refuses a seccomp filter under which a process cannot become its program: what the filter ends
/// cannot say why.
final class UnderFilter {
  /// What the helper itself needs, to be told and to answer.
  private static final List<Number> SERVING = List.of(Number.RECVMSG, Number.SENDMSG);

  private static final List<Number> WAITING = List.of(Number.ACCEPT4);

  private UnderFilter() {}

  /// Of every process: its program must be let in.
  static void checkProgram(Process process, byte[] filter) {
    if (!new Filter(filter).admits(Number.EXECVE))
      throw new ContainerException(
          "exec " + process.args().getFirst() + ": the seccomp filter refuses execve");
  }

  /// Of one that loads its filter early, as it has no no_new_privs: it must live until its program.
  ///
  /// @param batch in which it loads the filter
  static void check(Batch batch, Process process, byte @Nullable [] filter) {
    if (filter == null || process.noNewPrivileges()) return;
    Filter answers = new Filter(filter);
    boolean isLoaded = false;
    for (Batch.Entry entry : batch.entries()) {
      if (isLoaded && entry.guard() == null && answers.ends(entry.call().number()))
        throw refused(entry.call().number());
      isLoaded |= entry.call() instanceof SecurityCall.Seccomp;
    }
    requireAll(answers, SERVING);
  }

  /// Of an init that loaded it and waits for its start.
  static void checkWaiting(Process process, byte @Nullable [] filter) {
    if (filter != null && !process.noNewPrivileges()) requireAll(new Filter(filter), WAITING);
  }

  /// Whether such a process lacks one of these calls by then.
  static boolean isLacking(Process process, byte @Nullable [] filter, Number... calls) {
    if (filter == null || process.noNewPrivileges()) return false;
    Filter answers = new Filter(filter);
    return Stream.of(calls).anyMatch(call -> !answers.admits(call));
  }

  private static void requireAll(Filter answers, List<Number> calls) {
    for (Number call : calls) if (!answers.admits(call)) throw refused(call);
  }

  private static ContainerException refused(Number call) {
    return new ContainerException(
        "the seccomp filter refuses "
            + call.text()
            + ", which jrun calls under it where noNewPrivileges is not set");
  }
}
