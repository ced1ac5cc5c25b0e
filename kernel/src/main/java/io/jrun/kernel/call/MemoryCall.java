package io.jrun.kernel.call;

/// The memory of the process that makes the call.
public sealed interface MemoryCall<R> extends HostCall<R> {
  int MADV_DONTNEED = 4;

  /// madvise(2).
  record Madvise(long address, long size, int advice) implements MemoryCall<Nothing> {
    @Override
    public Number number() {
      return Number.MADVISE;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(address).value(size).value(advice);
    }

    @Override
    public Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// userfaultfd(2).
  record Userfaultfd(int flags) implements MemoryCall<Descriptor> {
    @Override
    public Number number() {
      return Number.USERFAULTFD;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(flags);
    }

    @Override
    public Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }
  }
}
