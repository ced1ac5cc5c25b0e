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
  private final List<Place> inOrder = new ArrayList<>();
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
    String stream = where.equals("engine") ? "engine" + thread() : where;
    List<Syscall<?>> before = calls.computeIfAbsent(stream, s -> new ArrayList<>());
    before.add(call);
    inOrder.add(new Place(stream, before.size()));
    if (failing.isEmpty() || !failing.get().equals(new Place(stream, before.size())))
      return Optional.empty();
    failed = call.text();
    return Optional.of(errno);
  }

  /// The kind of thread, for those beside a command's own.
  private static String thread() {
    String name = Thread.currentThread().getName();
    return name.equals("test-command") ? "" : ", " + name.replaceAll("-\\d+$", "");
  }

  synchronized List<Place> places() {
    List<Place> places = new ArrayList<>();
    calls.forEach((where, list) -> {
      for (int i = 1; i <= list.size(); i++)
        if (!(list.get(i - 1) instanceof ProcessCall.ExitGroup)) places.add(new Place(where, i));
    });
    return places;
  }

  /// The places of calls beyond those known, whichever process makes them.
  ///
  /// @param known texts of another log
  synchronized List<Place> placesBeside(List<String> known, String id) {
    List<String> others = new ArrayList<>(known);
    return places().stream().filter(place -> !others.remove(text(at(place), id))).toList();
  }

  /// The places of the calls up to the last one of that kind.
  synchronized List<Place> before(Class<?> kind) {
    List<Place> places = new ArrayList<>(inOrder);
    while (!kind.isInstance(at(places.getLast()))) places.removeLast();
    return places;
  }

  /// How many calls of that kind came before that one, or in all where it never came.
  synchronized long countBefore(Place place, Class<?> kind) {
    return inOrder.stream()
        .takeWhile(other -> !other.equals(place))
        .filter(other -> kind.isInstance(at(other)))
        .count();
  }

  /// What the calls say, without numbers and the container's id.
  synchronized List<String> texts(String id) {
    return places().stream().map(place -> text(at(place), id)).toList();
  }

  private static String text(Syscall<?> call, String id) {
    return call.text().replace(id, "ID").replaceAll("\\d+", "N");
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
