package io.jrun.runtime.cgroup;

import io.jrun.runtime.dbus.DBusException;
import io.jrun.runtime.systemd.Manager;
import io.jrun.runtime.systemd.Property;
import io.jrun.specs.runtime.Resources;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// A container's cgroup in the making as a scope of systemd, which has no scope without a process:
/// init is born where its caller is, and systemd moves it before it has done anything that its
/// cgroup matters for. Then the files are written as without systemd.
public final class ScopeMaking implements Making {
  private final CgroupFiles cgroupfs;
  private final ScopeName name;
  private final String id;
  private final Scope scope;
  private final List<Property> annotated;
  private final Resources limits;
  private final boolean unified;
  private final boolean limitsDevices;
  private final CgroupMaking files;
  private boolean asked;

  ScopeMaking(
      CgroupFiles cgroupfs,
      ScopeName name,
      String id,
      Scope scope,
      Map<String, String> annotations,
      Resources limits,
      boolean unified,
      boolean limitsDevices,
      CgroupMaking files) {
    this.cgroupfs = cgroupfs;
    this.name = name;
    this.id = id;
    this.scope = scope;
    this.annotated = ScopeProperties.annotated(annotations);
    this.limits = limits;
    this.unified = unified;
    this.limitsDevices = limitsDevices;
    this.files = files;
  }

  @Override
  public Cgroup cgroup() {
    return files.cgroup();
  }

  @Override
  public @Nullable String birthplace() {
    return null;
  }

  @Override
  public boolean takesIn() {
    return true;
  }

  @Override
  public void giveTo(int uid) {
    files.giveTo(uid);
  }

  @Override
  public void makeBirthplace() {}

  @Override
  public void makeRest(IntSupplier pid) {
    Scope.ask(
        cgroupfs.kernel(),
        scope.manager(),
        "cannot start the unit " + scope.unit(),
        systemd -> {
          start(systemd, pid.getAsInt());
          return scope;
        });
    files.fill();
  }

  private void start(Manager systemd, int pid) {
    int version = systemd.version();
    List<Property> properties = new ArrayList<>(ScopeProperties.scope(name, id, pid));
    properties.addAll(ScopeProperties.limits(limits, unified, version, true));
    if (limitsDevices)
      properties.addAll(ScopeDevices.of(limits.devices(), cgroupfs.read("/proc/devices")));
    for (Property property : annotated) {
      properties.removeIf(ours -> ours.name().equals(property.name()));
      properties.add(property);
    }
    asked = true; // whatever the answer is, and whether there is one
    try {
      systemd.startScope(scope.unit(), properties);
    } catch (DBusException e) {
      // one that was there before is somebody else's
      if (e.name().endsWith(".UnitExists")) asked = false;
      throw e;
    }
  }

  @Override
  public void undo(RuntimeException failure) {
    if (!asked) return;
    try {
      scope.stop(cgroupfs.kernel());
    } catch (CgroupException e) {
      failure.addSuppressed(e);
    }
    files.undo(failure);
  }
}
