package io.jrun.runtime.systemd;

import io.jrun.kernel.Kernel;
import io.jrun.runtime.dbus.DBusConnection;
import io.jrun.runtime.dbus.DBusException;
import io.jrun.runtime.dbus.Value;
import java.util.List;

/// A systemd, asked over one connection.
public final class Manager implements AutoCloseable {
  private static final String SERVICE = "org.freedesktop.systemd1";
  private static final String PATH = "/org/freedesktop/systemd1";
  private static final String MANAGER = SERVICE + ".Manager";
  private static final String REPLACE = "replace";

  private final DBusConnection connection;
  private boolean subscribed;

  private Manager(DBusConnection connection) {
    this.connection = connection;
  }

  public static Manager connect(Kernel kernel, ManagerAddress address) {
    return new Manager(DBusConnection.open(kernel, address.socket(), address.bus()));
  }

  /// Its number, such as 252.
  public int version() {
    String digits = property("Version").replaceFirst("^[^0-9]*", "").replaceFirst("[^0-9].*", "");
    if (digits.isEmpty()) throw new DBusException("", "systemd has no number");
    return Integer.parseInt(digits);
  }

  /// The cgroup that its units are in, as /proc/PID/cgroup would say it: empty for the root.
  public String controlGroup() {
    String path = property("ControlGroup");
    return path.equals("/") ? "" : path;
  }

  private String property(String name) {
    List<Value> answer =
        connection.call(
            SERVICE,
            PATH,
            "org.freedesktop.DBus.Properties",
            "Get",
            Value.string(MANAGER),
            Value.string(name));
    if (answer.size() == 1
        && answer.getFirst() instanceof Value.Variant(Value.Text(char type, String text)))
      return text;
    throw new DBusException("", "the property " + name + " of systemd is no text");
  }

  /// Makes a scope, and returns when its processes are in its cgroup. A failed unit of that name,
  /// which systemd only remembers, makes place for it.
  public void startScope(String unit, List<Property> properties) {
    subscribe();
    List<Value> job;
    try {
      job = start(unit, properties);
    } catch (DBusException e) {
      if (!e.name().equals(SERVICE + ".UnitExists")) throw e;
      resetFailed(unit);
      job = start(unit, properties);
    }
    String result = await(job);
    if (result.equals("done")) return;
    resetFailed(unit);
    throw new DBusException("", "starting " + unit + ": the job's result is \"" + result + "\"");
  }

  private List<Value> start(String unit, List<Property> properties) {
    return call(
        "StartTransientUnit",
        Value.string(unit),
        Value.string(REPLACE),
        pairs(properties),
        new Value.Array("(sa(sv))", List.of()));
  }

  private static Value pairs(List<Property> properties) {
    return new Value.Array("(sv)", properties.stream().map(Property::pair).toList());
  }

  /// Changes properties until the unit ends.
  public void set(String unit, List<Property> properties) {
    call("SetUnitProperties", Value.string(unit), Value.bool(true), pairs(properties));
  }

  /// Moves a process into a unit's cgroup, or into one below it; for callers who may not do that
  /// themselves.
  ///
  /// @param below a path that begins with `/`
  public void attach(String unit, String below, int pid) {
    call(
        "AttachProcessesToUnit",
        Value.string(unit),
        Value.string(below),
        new Value.Array("u", List.of(Value.uint32(pid))));
  }

  /// Ends a unit with all its processes, and lets systemd forget it; one that is gone already is
  /// fine.
  public void stop(String unit) {
    subscribe();
    try {
      await(call("StopUnit", Value.string(unit), Value.string(REPLACE)));
    } catch (DBusException e) {
      if (!isGone(e)) throw e;
    }
    resetFailed(unit);
  }

  private void resetFailed(String unit) {
    try {
      call("ResetFailedUnit", Value.string(unit));
    } catch (DBusException e) {
      if (!isGone(e)) throw e;
    }
  }

  private static boolean isGone(DBusException e) {
    return e.name().equals(SERVICE + ".NoSuchUnit");
  }

  private void subscribe() {
    if (subscribed) return;
    connection.subscribe(
        "type='signal',sender='"
            + SERVICE
            + "',path='"
            + PATH
            + "',interface='"
            + MANAGER
            + "',member='JobRemoved'");
    call("Subscribe");
    subscribed = true;
  }

  /// The result of a job: done, canceled, timeout, failed, dependency, skipped.
  private String await(List<Value> job) {
    if (job.size() != 1 || !(job.getFirst() instanceof Value.Text(char type, String path)))
      throw new DBusException("", "systemd named no job");
    DBusConnection.Signal removed =
        connection.await(signal ->
            signal.member().equals("JobRemoved")
                && signal.body().size() == 4
                && signal.body().get(1).equals(Value.path(path)));
    return removed.body().get(3) instanceof Value.Text(char text, String result) ? result : "";
  }

  private List<Value> call(String method, Value... arguments) {
    return connection.call(SERVICE, PATH, MANAGER, method, arguments);
  }

  @Override
  public void close() {
    connection.close();
  }
}
