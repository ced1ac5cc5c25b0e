package io.jrun.kernel.call;

import java.util.List;

/// What the helper does that is no single syscall; see protocol.h.
public sealed interface PseudoCall<R> extends HelperCall<R> {

  /// A call that answers only that it succeeded.
  sealed interface Action extends PseudoCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// After the answer: leave the engine, then serve whoever connects to the listener.
  record ListenForStart(Descriptor listener) implements Action {
    @Override
    public Number number() {
      return Number.LISTEN_FOR_START;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(listener);
    }
  }

  /// Watches a child in the foreground until it ends: its wait status. `termios` is restored on
  /// descriptor 0 at the end; empty for none.
  record Monitor(int pid, Descriptor master, byte[] termios) implements PseudoCall<Integer> {
    @Override
    public Number number() {
      return Number.MONITOR;
    }

    @Override
    public void arguments(Arguments to) {
      to.struct(m ->
          m.u32("pid", pid)
              .descriptor32("master", master)
              .u32("raw", termios.length == 0 ? 0 : 1)
              .u32("", 0)
              .raw("termios", java.util.Arrays.copyOf(termios, 64)));
    }

    @Override
    public Integer result(long value, Output output) {
      return (int) value;
    }
  }

  /// Default dispositions, nothing blocked.
  record ResetSignals() implements Action {
    @Override
    public Number number() {
      return Number.RESET_SIGNALS;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0);
    }
  }

  /// After the answer: leave the engine, hold the namespaces and reap orphans until SIGINT or
  /// SIGTERM, then exit with 0. What a sandbox's pause container does.
  record Pause() implements Action {
    @Override
    public Number number() {
      return Number.PAUSE;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0);
    }
  }

  /// After the answer: leave the engine and copy between a terminal and descriptors 0 and 1 until
  /// nobody has the terminal open, then exit with 0.
  record Relay(Descriptor master) implements Action {
    @Override
    public Number number() {
      return Number.RELAY;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(master);
    }
  }

  /// Closes the descriptors from `first` on, apart from the socket by which the helper is directed.
  record CloseFrom(int first) implements Action {
    @Override
    public Number number() {
      return Number.CLOSE_FROM;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(first);
    }
  }

  /// What to run in a new engine when this one dies; then the helper exits with `status`.
  record OnEof(List<String> argv, int status) implements Action {
    @Override
    public Number number() {
      return Number.ON_EOF;
    }

    @Override
    public void arguments(Arguments to) {
      byte[] block =
          (String.join("\0", argv) + "\0").getBytes(java.nio.charset.StandardCharsets.UTF_8);
      to.bytes(block).value(block.length).value(argv.size()).value(status);
    }
  }
}
