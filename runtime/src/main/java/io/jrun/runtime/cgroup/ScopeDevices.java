package io.jrun.runtime.cgroup;

import io.jrun.runtime.dbus.Value;
import io.jrun.runtime.systemd.Property;
import io.jrun.specs.runtime.Resources.DeviceRule;
import java.util.ArrayList;
import java.util.List;

/// Device rules as properties of a scope: without them systemd would allow every device on v1 when
/// it writes the cgroup's files anew. They are never stricter than the container's own rules, which
/// are in force besides; where systemd has no words for a rule it is told nothing.
final class ScopeDevices {
  private ScopeDevices() {}

  /// @param procDevices the text of /proc/devices, which names the majors
  static List<Property> of(List<DeviceRule> given, String procDevices) {
    List<DeviceRules.Rule> rules = DeviceRules.of(given);
    boolean allows =
        rules.getFirst().allow() || rules.stream().skip(1).anyMatch(rule -> !rule.allow());
    if (allows) return List.of(new Property("DevicePolicy", Value.string("auto")));
    List<Value> allowed = new ArrayList<>();
    for (DeviceRules.Rule rule : rules.subList(1, rules.size())) {
      String name = name(rule, procDevices);
      if (name.isEmpty()) return List.of(new Property("DevicePolicy", Value.string("auto")));
      allowed.add(Value.struct(Value.string(name), Value.string(letters(rule.access()))));
    }
    return List.of(
        new Property("DevicePolicy", Value.string("strict")),
        new Property("DeviceAllow", new Value.Array("(ss)", allowed)));
  }

  private static String letters(int access) {
    return ((access & DeviceRules.READ) != 0 ? "r" : "")
        + ((access & DeviceRules.WRITE) != 0 ? "w" : "")
        + ((access & DeviceRules.MKNOD) != 0 ? "m" : "");
  }

  private static String name(DeviceRules.Rule rule, String procDevices) {
    String kind = rule.type() == 'b' ? "block" : "char";
    if (rule.major() == DeviceRules.ANY) return rule.minor() == DeviceRules.ANY ? kind + "-*" : "";
    if (rule.minor() != DeviceRules.ANY)
      return "/dev/" + kind + "/" + rule.major() + ":" + rule.minor();
    String driver =
        driver(
            procDevices,
            rule.type() == 'b' ? "Block devices:" : "Character devices:",
            rule.major());
    return driver.isEmpty() ? "" : kind + "-" + driver;
  }

  private static String driver(String procDevices, String section, long major) {
    boolean inside = false;
    for (String line : procDevices.split("\n")) {
      if (line.endsWith(":")) inside = line.equals(section);
      String[] fields = line.strip().split("\\s+", 2);
      if (inside && fields.length == 2 && fields[0].equals(Long.toString(major))) return fields[1];
    }
    return "";
  }
}
