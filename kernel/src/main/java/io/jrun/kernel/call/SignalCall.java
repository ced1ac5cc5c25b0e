package io.jrun.kernel.call;

/// Signals to, and descriptors of, other processes.
public sealed interface SignalCall<R> extends HostCall<R> {
  int SIGKILL = 9;
  int SIGTERM = 15;

  /// A call that answers only that it succeeded.
  sealed interface Action extends SignalCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// kill(2).
  record Kill(int pid, int signal) implements Action {
    @Override
    public Number number() {
      return Number.KILL;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(pid).value(signal);
    }
  }

  /// pidfd_open(2), Linux 5.3.
  record PidfdOpen(int pid) implements SignalCall<Descriptor> {
    @Override
    public Number number() {
      return Number.PIDFD_OPEN;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(pid).value(0);
    }

    @Override
    public Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }
  }

  /// pidfd_send_signal(2), Linux 5.1.
  record PidfdSendSignal(Descriptor pidfd, int signal) implements Action {
    @Override
    public Number number() {
      return Number.PIDFD_SEND_SIGNAL;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(pidfd).value(signal).bytes(null).value(0);
    }
  }
}
