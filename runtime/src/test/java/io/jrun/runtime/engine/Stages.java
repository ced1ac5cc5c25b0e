package io.jrun.runtime.engine;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.observed.Observer;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// Numbers the stages of a command, and does something at one of them: before the n-th message to a
/// helper, or before the n-th call of the engine itself.
final class Stages implements Observer {
  enum Kind {
    MESSAGE,
    CALL
  }

  private final Kind kind;
  private final int number;
  private final Runnable action;
  private final AtomicInteger messages = new AtomicInteger();
  private final AtomicInteger calls = new AtomicInteger();

  Stages(Kind kind, int number, Runnable action) {
    this.kind = kind;
    this.number = number;
    this.action = action;
  }

  /// Only counts.
  static Stages counting() {
    return new Stages(Kind.CALL, -1, () -> {});
  }

  @Override
  public void sending(String where, Batch batch) {
    if (messages.incrementAndGet() == number && kind == Kind.MESSAGE) action.run();
  }

  @Override
  public Optional<Errno> before(String where, Syscall<?> call) {
    if (where.equals("engine") && calls.incrementAndGet() == number && kind == Kind.CALL)
      action.run();
    return Optional.empty();
  }

  int seen(Kind of) {
    return of == Kind.MESSAGE ? messages.get() : calls.get();
  }
}
