package io.jrun.runtime.systemd;

import io.jrun.runtime.dbus.Value;

/// A property of a unit, as systemd.resource-control(5) and the like name it, with `USec` for
/// times.
public record Property(String name, Value value) {
  Value pair() {
    return Value.struct(Value.string(name), new Value.Variant(value));
  }
}
