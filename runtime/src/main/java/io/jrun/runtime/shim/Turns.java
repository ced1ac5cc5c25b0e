package io.jrun.runtime.shim;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// Has those with the same key act one after the other. A key is forgotten when nobody uses it any
/// more, and not before, for else two would act at once.
final class Turns {
  private static final class Turn {
    private final ReentrantLock lock = new ReentrantLock();
    private int users;
  }

  private final Map<String, Turn> turns = new HashMap<>();

  <T> T take(String key, Supplier<T> action) {
    Turn turn;
    synchronized (turns) {
      turn = turns.computeIfAbsent(key, k -> new Turn());
      turn.users++;
    }
    turn.lock.lock();
    try {
      return action.get();
    } finally {
      leave(key, turn);
    }
  }

  private void leave(String key, Turn turn) {
    turn.lock.unlock();
    synchronized (turns) {
      if (--turn.users == 0) turns.remove(key);
    }
  }

  void take(String key, Runnable action) {
    take(
        key,
        () -> {
          action.run();
          return true;
        });
  }

  /// False where another has the turn, and nothing was done then.
  boolean takeIfFree(String key, Runnable action) {
    Turn turn = new Turn();
    turn.users = 1;
    turn.lock.lock();
    synchronized (turns) {
      if (turns.putIfAbsent(key, turn) != null) return false;
    }
    try {
      action.run();
      return true;
    } finally {
      leave(key, turn);
    }
  }

  /// How many keys are in use.
  int size() {
    synchronized (turns) {
      return turns.size();
    }
  }
}
