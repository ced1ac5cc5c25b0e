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

  /// A call that answers only that it succeeded.
  sealed interface Action extends SchedulingCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// sched_setattr(2); times in nanoseconds.
  record SchedSetattr(
      int policy, long flags, int nice, int priority, long runtime, long deadline, long period)
      implements Action {
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
  }

  /// sched_setaffinity(2), the CPUs as a mask of 64-bit words.
  record SchedSetaffinity(byte[] mask) implements Action {
    @Override
    public Number number() {
      return Number.SCHED_SETAFFINITY;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0).value(mask.length).bytes(mask);
    }
  }

  /// set_mempolicy(2), the nodes as a mask of 64-bit words.
  record SetMempolicy(int mode, byte[] nodes) implements Action {
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
  }
}
