package io.jrun.kernel.call;

import java.util.List;

/// Descriptors, whatever they are of: made, given other numbers, waited for.
public sealed interface DescriptorCall<R> extends HostCall<R> {
  int F_SETFL = 4;
  int F_GETFL = 3;
  int F_ADD_SEALS = 1033;
  int F_SEAL_ALL = 0xf;
  int CLOSE_RANGE_CLOEXEC = 4;

  /// A call that answers only that it succeeded.
  sealed interface Action extends DescriptorCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// A call that answers its return value.
  sealed interface Counting extends DescriptorCall<Integer> {
    @Override
    default Integer result(long value, Output output) {
      return (int) value;
    }
  }

  /// close_range(2), Linux 5.9; `last` is unsigned.
  record CloseRange(int first, int last, int flags) implements Action {
    @Override
    public Number number() {
      return Number.CLOSE_RANGE;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(first).value(last & 0xffffffffL).value(flags);
    }
  }

  /// dup3(2).
  record Dup3(Descriptor from, int onto, int flags) implements Action {
    @Override
    public Number number() {
      return Number.DUP3;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(from).value(onto).flags(FileCall.OPEN, flags);
    }
  }

  /// fcntl(2) with an integer argument.
  record Fcntl(Descriptor descriptor, int command, long argument) implements Counting {
    @Override
    public Number number() {
      return Number.FCNTL;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(command).value(argument);
    }
  }

  /// pipe2(2): the end to read from and the end to write to, both close-on-exec.
  record Pipe2() implements DescriptorCall<List<Integer>> {
    @Override
    public Number number() {
      return Number.PIPE2;
    }

    @Override
    public void arguments(Arguments to) {
      to.out(8).flags(FileCall.OPEN, FileCall.O_CLOEXEC);
    }

    @Override
    public List<Integer> result(long value, Output output) {
      return List.of(output.buffer().getInt(0), output.buffer().getInt(4));
    }
  }

  /// eventfd2(2) of 0, close-on-exec.
  record Eventfd() implements DescriptorCall<Descriptor> {
    @Override
    public Number number() {
      return Number.EVENTFD2;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0).flags(FileCall.OPEN, FileCall.O_CLOEXEC);
    }

    @Override
    public Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }
  }

  /// ppoll(2) of one descriptor, forever when `millis` is negative: the events that came, zero at
  /// the timeout.
  record Poll(Descriptor descriptor, int events, long millis) implements Counting {
    @Override
    public Number number() {
      return Number.PPOLL;
    }

    @Override
    public void arguments(Arguments to) {
      to.struct(p -> p.descriptor32("fd", descriptor).u16("events", events).u16("revents", 0));
      to.value(1);
      if (millis < 0) to.bytes(null);
      else to.struct(t -> t.u64("tv_sec", millis / 1000).u64("tv_nsec", millis % 1000 * 1_000_000));
      to.bytes(null).value(8);
    }
  }
}
