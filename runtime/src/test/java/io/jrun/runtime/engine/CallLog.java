package io.jrun.runtime.engine;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.observed.Observer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Counts the calls of a command, per process and for the engine per kind of thread, so that a
/// call's number is the same each time; makes one of them fail.
final class CallLog implements Observer {
  /// A call by its place.
  record Place(String where, int number) {
    @Override
    public String toString() {
      return where + "#" + number;
    }
  }

  private final Map<String, List<Syscall<?>>> calls = new LinkedHashMap<>();
  private final Optional<Place> failing;
  private final Errno errno;
  private String failed = "";

  private CallLog(Optional<Place> failing, Errno errno) {
    this.failing = failing;
    this.errno = errno;
  }

  static CallLog recording() {
    return new CallLog(Optional.empty(), Errno.EIO);
  }

  static CallLog failing(Place place, Errno errno) {
    return new CallLog(Optional.of(place), errno);
  }

  @Override
  public synchronized Optional<Errno> before(String where, Syscall<?> call) {
    boolean aside =
        where.equals("engine") && !Thread.currentThread().getName().equals("test-command");
    String stream = aside ? "engine, aside" : where;
    List<Syscall<?>> before = calls.computeIfAbsent(stream, s -> new ArrayList<>());
    before.add(call);
    if (failing.isEmpty() || !failing.get().equals(new Place(stream, before.size())))
      return Optional.empty();
    failed = call.text();
    return Optional.of(errno);
  }

  synchronized List<Place> places() {
    List<Place> places = new ArrayList<>();
    calls.forEach((where, list) -> {
      for (int i = 1; i <= list.size(); i++)
        if (!(list.get(i - 1) instanceof ProcessCall.ExitGroup)) places.add(new Place(where, i));
    });
    return places;
  }

  synchronized Syscall<?> at(Place place) {
    return java.util.Objects.requireNonNull(calls.get(place.where())).get(place.number() - 1);
  }

  /// The calls of each process.
  synchronized Map<String, List<Syscall<?>>> calls() {
    Map<String, List<Syscall<?>>> copy = new LinkedHashMap<>();
    calls.forEach((where, list) -> copy.put(where, List.copyOf(list)));
    return copy;
  }

  /// What was made to fail; empty where the command never came to it.
  synchronized String failed() {
    return failed;
  }
}
