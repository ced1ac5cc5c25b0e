package io.jrun.kernel.call;

/// When and where the calling thread runs, and where its memory lies.
public sealed interface SchedulingCall<R> extends HelperCall<R> {
  int CLASS_SHIFT = 13;
  Flags POLICY =
      Flags.values(
          0,
          "SCHED_OTHER",
          1,
          "SCHED_FIFO",
          2,
          "SCHED_RR",
          3,
          "SCHED_BATCH",
          4,
          "SCHED_ISO",
          5,
          "SCHED_IDLE",
          6,
          "SCHED_DEADLINE");

  /// sched_setattr(2); times in nanoseconds.
  record SchedSetattr(
      int policy, long flags, int nice, int priority, long runtime, long deadline, long period)
      implements SchedulingCall<Nothing> {
    private static final int SIZE = 48;

    @Override
    public Number number() {
      return Number.SCHED_SETATTR;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0)
          .struct(a ->
              a.u32("size", SIZE)
                  .flags32("policy", POLICY, policy)
                  .u64("flags", flags)
                  .u32("nice", nice)
                  .u32("priority", priority)
                  .u64("runtime", runtime)
                  .u64("deadline", deadline)
                  .u64("period", period))
          .value(0);
    }

    @Override
    public Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// sched_setaffinity(2), the CPUs as a mask of 64-bit words.
  record SchedSetaffinity(byte[] mask) implements SchedulingCall<Nothing> {
    @Override
    public Number number() {
      return Number.SCHED_SETAFFINITY;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0).value(mask.length).bytes(mask);
    }

    @Override
    public Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// set_mempolicy(2), the nodes as a mask of 64-bit words.
  record SetMempolicy(int mode, byte[] nodes) implements SchedulingCall<Nothing> {
    @Override
    public Number number() {
      return Number.SET_MEMPOLICY;
    }

    @Override
    public void arguments(Arguments to) {
      // the kernel reads one bit less than it is told
      to.value(mode)
          .bytes(nodes.length == 0 ? null : nodes)
          .value(nodes.length == 0 ? 0 : 8L * nodes.length + 1);
    }

    @Override
    public Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }
}
