package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SecurityCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.runtime.cli.Log;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Hook;
import io.jrun.specs.runtime.State;
import io.jrun.specs.runtime.Status;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Runs hooks as children of a process of the right namespaces, the state on their stdin.
final class HookRunner {
  private static final int POLLIN = 1;
  private static final int OUTPUT_SHOWN = 4096;
  private static final int F_SETFD = 2;
  private static final int FD_CLOEXEC = 1;

  private final Kernel kernel;
  private final String ociVersion;
  private final StoredState state;
  private final Map<String, String> annotations;

  HookRunner(Kernel kernel, String ociVersion, StoredState state, Map<String, String> annotations) {
    this.kernel = kernel;
    this.ociVersion = ociVersion;
    this.state = state;
    this.annotations = annotations;
  }

  /// Runs them in order, stopping at the first failure.
  void run(String kind, List<Hook> hooks, HelperKernel parent, Status status, int pid) {
    run(kind, hooks, parent, status, pid, HookRunner::addOwnDescriptors);
  }

  private static void addOwnDescriptors(Batch batch) {
    batch.add(new DescriptorCall.CloseRange(3, -1, DescriptorCall.CLOSE_RANGE_CLOEXEC));
  }

  /// The same where a filter may refuse close_range(2): but for the preserved ones, all that init
  /// has is closed, or close-on-exec.
  private void addOwnDescriptorsUnderFilter(Batch batch) {
    for (int fd = 3; fd < 3 + state.preservedFds(); fd++)
      batch.attempt(new DescriptorCall.Fcntl(new Descriptor.Known(fd), F_SETFD, FD_CLOEXEC));
  }

  /// Runs those of the container itself, in its init and under the filter of its program. One
  /// without an environment has the program's: not in the specification, but runc's way for long.
  ///
  /// @param seccomp null where there is none, or init has it already
  /// @param isFiltered whether init has it already
  void startContainer(
      List<Hook> hooks,
      List<String> env,
      HelperKernel init,
      int pid,
      byte @Nullable [] seccomp,
      int seccompFlags,
      boolean isFiltered) {
    List<Hook> given = hooks.stream().map(hook -> hook.withDefaultEnv(env)).toList();
    Consumer<Batch> last =
        batch -> {
          if (isFiltered) addOwnDescriptorsUnderFilter(batch);
          else addOwnDescriptors(batch);
          if (seccomp != null) batch.add(new SecurityCall.Seccomp(seccompFlags, seccomp, false));
        };
    run("startContainer", given, init, Status.CREATED, pid, last);
  }

  /// @param before what a hook's process does last before its program
  private void run(
      String kind,
      List<Hook> hooks,
      HelperKernel parent,
      Status status,
      int pid,
      Consumer<Batch> before) {
    for (int i = 0; i < hooks.size(); i++) {
      try {
        runOne(hooks.get(i), parent, status, pid, before);
      } catch (RuntimeException e) {
        throw new ContainerException("error running " + kind + " hook #" + i, e);
      }
    }
  }

  /// Runs them all; failures are only warnings, as the specification asks for poststop.
  void runAll(String kind, List<Hook> hooks, HelperKernel parent, Status status, int pid, Log log) {
    for (int i = 0; i < hooks.size(); i++) {
      try {
        runOne(hooks.get(i), parent, status, pid, HookRunner::addOwnDescriptors);
      } catch (ContainerException | KernelException e) {
        log.warning("error running " + kind + " hook #" + i + ": " + e.getMessage());
      }
    }
  }

  private void runOne(
      Hook hook, HelperKernel parent, Status status, int pid, Consumer<Batch> before) {
    String json =
        new State(
                ociVersion,
                state.id(),
                status,
                pid,
                state.bundle(),
                annotations,
                Json.JsonObject.EMPTY)
            .toJson()
            .toText("");
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    try (OwnedDescriptor ours = new OwnedDescriptor(kernel, pair.get(0));
        OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1));
        Child child = Child.clone(kernel, parent, new Batch(), 0)) {
      Batch batch = new Batch();
      Descriptor io = batch.pass(theirs);
      batch.add(new PseudoCall.ResetSignals());
      batch.add(
          new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SignalCall.SIGKILL, 0, 0, 0));
      for (int fd = 0; fd < 3; fd++) batch.add(new DescriptorCall.Dup3(io, fd, 0));
      before.accept(batch);
      List<String> args = hook.args().isEmpty() ? List.of(hook.path()) : hook.args();
      batch.add(new ProcessCall.Execve(hook.path(), args, hook.env()));
      try {
        child.become(batch);
      } catch (RuntimeException e) {
        parent.call(new SignalCall.Kill(child.pid(), SignalCall.SIGKILL));
        parent.call(new ProcessCall.Wait4(child.pid(), 0));
        throw e;
      }
      theirs.close();
      String output = converse(ours, json, hook, parent, child.pid());
      int wait = parent.call(new ProcessCall.Wait4(child.pid(), 0));
      if (wait != 0) {
        String how =
            (wait & 0x7f) != 0
                ? SignalText.ended(wait & 0x7f)
                : "exit status " + (wait >> 8 & 0xff);
        throw new ContainerException(how + (output.isEmpty() ? "" : ", output: " + output.strip()));
      }
    }
  }

  /// Sends the state, collects the output until the hook ends, kills it when its time is over.
  private String converse(
      OwnedDescriptor socket, String json, Hook hook, HelperKernel parent, int pid) {
    List<byte[]> chunks = new ArrayList<>();
    long millis = hook.timeoutSeconds() == null ? -1 : hook.timeoutSeconds() * 1000;
    long deadline = System.nanoTime() + millis * 1_000_000;
    try {
      kernel.call(
          new SocketCall.Sendmsg(
              socket.descriptor(),
              json.getBytes(StandardCharsets.UTF_8),
              List.of(),
              SocketCall.MSG_NOSIGNAL));
      kernel.call(new SocketCall.Shutdown(socket.descriptor(), 1));
    } catch (io.jrun.kernel.KernelException e) {
      // the hook did not read its state: its exit status tells
    }
    int size = 0;
    while (true) {
      long left = millis < 0 ? -1 : Math.max(0, (deadline - System.nanoTime()) / 1_000_000);
      if (kernel.call(new DescriptorCall.Poll(socket.descriptor(), POLLIN, left)) == 0) {
        parent.call(new SignalCall.Kill(pid, SignalCall.SIGKILL));
        parent.call(new ProcessCall.Wait4(pid, 0));
        throw new ContainerException("timed out after " + hook.timeoutSeconds() + " s");
      }
      byte[] bytes;
      try {
        bytes = kernel.call(new SocketCall.Recvmsg(socket.descriptor(), OUTPUT_SHOWN, 0)).bytes();
      } catch (io.jrun.kernel.KernelException e) {
        break; // the hook closed its end without reading all of its state
      }
      if (bytes.length == 0) break;
      if (size < OUTPUT_SHOWN) chunks.add(bytes);
      size += bytes.length;
    }
    StringBuilder text = new StringBuilder();
    for (byte[] chunk : chunks) text.append(new String(chunk, StandardCharsets.UTF_8));
    return text.toString();
  }
}
