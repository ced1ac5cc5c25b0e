package io.jrun.kernel.call;

/// A system call as data. Its record carries its man-page name, describes its arguments once, and
/// from that description it is both laid out in memory and printed.
public sealed interface Syscall<R> permits HostCall, HelperCall {
  Number number();

  void arguments(Arguments arguments);

  /// What the kernel's return value and what the call wrote mean.
  R result(long value, Output output);

  /// Whether the result is a descriptor that comes back to the engine with the reply; no later call
  /// of its batch may close it.
  default boolean returnsDescriptor() {
    return false;
  }

  /// The call as strace would print it.
  default String text() {
    return Text.of(this);
  }
}
