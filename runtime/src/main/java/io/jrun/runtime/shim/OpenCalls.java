package io.jrun.runtime.shim;

import java.util.ArrayList;
import java.util.List;

/// The requests that are being performed, in the order in which they came. One that only waits for
/// a process's end is not among them.
///
/// containerd closes a connection when the task's Delete is answered, and whoever has asked for
/// something else over it is told that it was closed; so a Delete comes after what was asked before
/// it, as with the runc shim, where a lock of the process has that effect, and its answer after
/// those to what was asked until it was done: a Kill may cross it, as containerd deletes a task
/// that ends by itself. Requests that a keeper sends again come all at once, in their order.
final class OpenCalls {
  private final List<Call> open = new ArrayList<>();

  synchronized void add(Call call) {
    open.add(call);
  }

  /// It is answered, or waits for a process's end.
  synchronized void remove(Call call) {
    open.remove(call);
    notifyAll();
  }

  synchronized boolean isEmpty() {
    return open.isEmpty();
  }

  /// Waits for those before it that are about the same task and came over the same connection.
  synchronized void awaitEarlier(Call call) {
    try {
      while (hasEarlier(call)) wait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean hasEarlier(Call call) {
    for (Call other : open) {
      if (other == call) return false;
      if (isBeside(other, call)) return true;
    }
    return false;
  }

  /// Waits for all that have come meanwhile and are about the same task, but for others that are
  /// the last.
  synchronized void awaitLater(Call call) {
    List<Call> later =
        open.stream().filter(other -> !other.isLast() && isBeside(other, call)).toList();
    try {
      while (later.stream().anyMatch(open::contains)) wait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean isBeside(Call other, Call call) {
    return other.connection() == call.connection() && other.id().equals(call.id());
  }
}
