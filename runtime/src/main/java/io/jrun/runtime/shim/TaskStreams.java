package io.jrun.runtime.shim;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.wire.Keeper;
import io.jrun.runtime.container.HostProcess;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// The standard streams of a pod's processes, and those who take from them: loggers, and the relays
/// of terminals.
final class TaskStreams {
  private static final long RELAY_MILLIS = 10_000;
  private static final long LOGGER_MILLIS = 12_000;
  private static final long READER_MILLIS = 2_000;
  private static final long PAUSE_NANOS = 1_000_000;

  private final Kernel kernel;
  private final Keeper keeper;
  private final Workers workers;
  private final Pod pod;
  private final String namespace;

  TaskStreams(Kernel kernel, Keeper keeper, Workers workers, Pod pod, String namespace) {
    this.kernel = kernel;
    this.keeper = keeper;
    this.workers = workers;
    this.pod = pod;
    this.namespace = namespace;
  }

  private Stdio of(TaskProcess process) {
    return of(process, () -> false);
  }

  /// @param call that has them opened: a client that is gone reads nothing
  private Stdio of(TaskProcess process, Call call) {
    return of(process, () -> pod.isGone(call));
  }

  private Stdio of(TaskProcess process, BooleanSupplier isGone) {
    Stdio.Client client =
        new Stdio.Client() {
          @Override
          public boolean isGone() {
            return isGone.getAsBoolean();
          }

          @Override
          public boolean hasClosedInput() {
            return pod.isInputClosed(process);
          }
        };
    return new Stdio(
        kernel, keeper, process.stdio(), process.stdioOwner(), process.place(), client);
  }

  /// Gives them to a worker, whose child the process will be. A logger that is wanted is ready
  /// then.
  void giveTo(HelperKernel worker, TaskProcess process, Call call) {
    Stdio stdio = of(process, call);
    try (Logger logger = taker(process, stdio)) {
      stdio.giveTo(worker, logger);
    }
  }

  /// Has a terminal copied to and from the FIFOs, or to a logger, which ends by itself behind the
  /// process that copies.
  void relay(TaskProcess process, OwnedDescriptor terminal, Call call) {
    Stdio stdio = of(process, call);
    try (Logger logger =
        Logger.isWanted(process.stdio().stdout()) ? logger(process, pid -> {}) : null) {
      stdio.relay(terminal, logger, pid -> recordRelay(process, pid));
    }
  }

  /// Who takes what the process says; null where it has the FIFOs itself, or a terminal.
  private @Nullable Logger taker(TaskProcess process, Stdio stdio) {
    if (isLogged(process)) return logger(process, pid -> recordRelay(process, pid));
    boolean isFile = Stdio.isFile(process.stdio()) && !process.stdio().terminal();
    return isFile ? stdio.relayToFile(pid -> recordRelay(process, pid)) : null;
  }

  private Logger logger(TaskProcess process, IntConsumer born) {
    return Logger.start(kernel, keeper, process.stdio().stdout(), namespace, process.name(), born);
  }

  /// Whether the process itself writes to a logger.
  private static boolean isLogged(TaskProcess process) {
    return Logger.isWanted(process.stdio().stdout()) && !process.stdio().terminal();
  }

  private void recordRelay(TaskProcess process, int pid) {
    pod.record(process.line(Line.What.RELAY).with("pid", pid).with("exits", pod.exitsBefore()));
  }

  void resize(TaskProcess process, int width, int height) {
    ByteBuffer size = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
    size.putShort((short) height).putShort((short) width);
    try (HelperKernel worker = workers.forkSeeing()) {
      worker.call(
          new IoctlCall.IoctlWrite(of(process).terminal(), IoctlCall.TIOCSWINSZ, size.array()));
    } catch (KernelException e) {
      throw RpcException.unknown("resizing the terminal: " + e.getMessage());
    }
  }

  void closeInput(TaskProcess process) {
    of(process).closeInput();
  }

  /// The process has them, or will never be.
  void settle(TaskProcess process) {
    of(process).settle();
  }

  /// Lets what is still to be copied arrive, and be read. ctr gives up FIFOs that it is still
  /// opening when its Delete is answered; on a busy machine that may take longer than the process
  /// has run.
  void drain(TaskProcess process) {
    if (process.relayPid != 0) awaitRelay(process);
    Stdio stdio = of(process);
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(READER_MILLIS);
    while (stdio.hasUnread() && System.nanoTime() < end) LockSupport.parkNanos(PAUSE_NANOS);
  }

  /// Whether that may take time.
  boolean mayDrain(TaskProcess process) {
    return process.relayPid != 0 || of(process).hasUnread();
  }

  private void awaitRelay(TaskProcess process) {
    boolean logs = isLogged(process);
    if (logs && !process.relayEnded) signal(process.relayPid, SignalCall.SIGTERM);
    if (!pod.await(() -> process.relayEnded, logs ? LOGGER_MILLIS : RELAY_MILLIS))
      signal(process.relayPid, SignalCall.SIGKILL);
  }

  private void signal(int pid, int signal) {
    HostProcess.of(kernel, pid).signal(signal);
  }

  /// Lets everything go that is kept for it.
  void release(TaskProcess process) {
    of(process).release();
  }
}
