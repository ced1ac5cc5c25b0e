package io.jrun.kernel.call;

/// epoll(7): waiting for one of many descriptors.
public sealed interface EpollCall<R> extends HostCall<R> {
  int EPOLL_CTL_ADD = 1;
  int EPOLL_CLOEXEC = 02000000;

  /// epoll_create1(2), close-on-exec.
  record EpollCreate1() implements EpollCall<Descriptor> {
    @Override
    public Number number() {
      return Number.EPOLL_CREATE1;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(EPOLL_CLOEXEC);
    }

    @Override
    public Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }
  }

  /// epoll_ctl(2).
  ///
  /// @param data what epoll_wait says of the descriptor
  record EpollCtl(Descriptor epoll, int operation, Descriptor descriptor, int events, int data)
      implements EpollCall<Nothing> {
    @Override
    public Number number() {
      return Number.EPOLL_CTL;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(epoll)
          .value(operation)
          .descriptor(descriptor)
          .struct(e -> {
            e.u32("events", events);
            // packed on x86_64 only
            if (FileCall.ARM) e.u32("", 0);
            e.u32("data", data).u32("", 0);
          });
    }

    @Override
    public Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// epoll_pwait(2) for one event: the data of its descriptor, or -1 where none came in time.
  ///
  /// @param millis negative for ever
  record EpollPwait(Descriptor epoll, int millis) implements EpollCall<Integer> {
    @Override
    public Number number() {
      return Number.EPOLL_PWAIT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(epoll).out(16).value(1).value(millis).bytes(null).value(8);
    }

    @Override
    public Integer result(long value, Output output) {
      return value == 0 ? -1 : output.buffer().getInt(FileCall.ARM ? 8 : 4);
    }
  }
}
