package io.jrun.runtime.cgroup;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.runtime.dbus.DBusException;
import io.jrun.runtime.systemd.Manager;
import io.jrun.runtime.systemd.ManagerAddress;
import io.jrun.runtime.systemd.Property;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The scope of systemd that a container's cgroup is, and whom to ask for it.
public record Scope(String unit, ManagerAddress manager) {
  /// One step with a manager.
  interface Step<R> {
    R with(Manager manager);
  }

  /// What [#of(Map)] reads again; for the container's state.
  public static Map<String, String> stored(@Nullable Scope scope) {
    if (scope == null) return Map.of();
    return Map.of(
        "unit",
        scope.unit,
        "socket",
        scope.manager.socket(),
        "bus",
        Boolean.toString(scope.manager.bus()));
  }

  public static @Nullable Scope of(Map<String, String> stored) {
    if (stored.isEmpty()) return null;
    return new Scope(
        Objects.requireNonNull(stored.get("unit")),
        new ManagerAddress(
            Objects.requireNonNull(stored.get("socket")), Boolean.parseBoolean(stored.get("bus"))));
  }

  void stop(Kernel kernel) {
    ask(
        kernel,
        manager,
        "cannot stop the unit " + unit,
        systemd -> {
          systemd.stop(unit);
          return unit;
        });
  }

  void set(Kernel kernel, List<Property> properties) {
    if (properties.isEmpty()) return;
    ask(
        kernel,
        manager,
        "cannot set the properties of the unit " + unit,
        systemd -> {
          systemd.set(unit, properties);
          return unit;
        });
  }

  void attach(Kernel kernel, String below, int pid) {
    ask(
        kernel,
        manager,
        "cannot add process " + pid + " to the unit " + unit,
        systemd -> {
          systemd.attach(unit, below, pid);
          return unit;
        });
  }

  static <R> R ask(Kernel kernel, ManagerAddress address, String step, Step<R> ask) {
    try (Manager manager = Manager.connect(kernel, address)) {
      return ask.with(manager);
    } catch (DBusException | KernelException e) {
      throw new CgroupException(step, e);
    }
  }
}
