package io.jrun.runtime.resctrl;

import io.jrun.specs.runtime.IntelRdt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The group that a container's processes are in, by the rules of linux.intelRdt: a class of
/// service that somebody has prepared, or one of the container's own.
public final class ResctrlGroup {
  private final Resctrl resctrl;
  private final IntelRdt rdt;
  private final String directory;
  private final @Nullable String monitor;
  private final boolean wasThere;

  ResctrlGroup(Resctrl resctrl, IntelRdt rdt, String id) {
    this.resctrl = resctrl;
    this.rdt = rdt;
    String class_ = rdt.closId() == null || rdt.closId().isEmpty() ? id : rdt.closId();
    this.directory = class_.equals("/") ? resctrl.top() : resctrl.top() + "/" + class_;
    this.monitor = rdt.enableMonitoring() ? directory + "/mon_groups/" + id : null;
    this.wasThere = resctrl.exists(directory);
  }

  private boolean isNamed() {
    return rdt.closId() != null && !rdt.closId().isEmpty();
  }

  /// What [#make] makes and what must go with the container, in that order.
  public List<String> ownDirectories() {
    List<String> own = new ArrayList<>();
    if (monitor != null) own.add(monitor);
    if (!isNamed() && !wasThere) own.add(directory);
    return own;
  }

  private List<String> schemata() {
    List<String> lines = new ArrayList<>();
    for (String schema : new String[] {rdt.l3CacheSchema(), rdt.memBwSchema()})
      if (schema != null && !schema.isEmpty()) lines.add(schema);
    lines.addAll(rdt.schemata());
    return lines;
  }

  /// Makes the group where it is missing, and says what its share is. A prepared one must have that
  /// share already.
  public void make() {
    List<String> schemata = schemata();
    if (isNamed() && !wasThere && schemata.isEmpty())
      throw new ResctrlException(
          "/linux/intelRdt/closID: " + directory + " does not exist, and no schemata are given",
          null);
    if (isNamed() && wasThere) check(schemata);
    resctrl.mkdir(directory);
    if (monitor != null) resctrl.mkdir(monitor);
    if (!(isNamed() && wasThere)) write(schemata);
  }

  private void write(List<String> schemata) {
    if (!schemata.isEmpty())
      resctrl.write(directory + "/schemata", String.join("\n", schemata) + "\n");
  }

  private void check(List<String> schemata) {
    if (schemata.isEmpty()) return;
    String file = directory + "/schemata";
    Map<String, Map<String, String>> there = new LinkedHashMap<>();
    for (String line : resctrl.read(file).split("\n")) {
      if (line.contains(":")) there.put(resource(line), domains(line));
    }
    for (String schema : schemata) {
      Map<String, String> has = there.getOrDefault(resource(schema), Map.of());
      domains(schema)
          .forEach((domain, value) -> {
            if (!Objects.equals(has.get(domain), value))
              throw new ResctrlException(
                  "/linux/intelRdt: " + file + " does not say \"" + schema.strip() + "\"", null);
          });
    }
  }

  /// Such as `L3` of `L3:0=7f0;1=1f`.
  private static String resource(String line) {
    return line.substring(0, Math.max(line.indexOf(':'), 0)).strip();
  }

  /// The values by domain, without zeros in front.
  private static Map<String, String> domains(String line) {
    Map<String, String> domains = new LinkedHashMap<>();
    for (String part : line.substring(line.indexOf(':') + 1).split(";")) {
      String[] halves = part.strip().split("=", 2);
      if (halves.length == 2)
        domains.put(halves[0].strip(), halves[1].strip().replaceFirst("^0+(?=.)", ""));
    }
    return domains;
  }

  /// Puts a process into it, and with it what the process will start.
  public void add(int pid) {
    String text = Integer.toString(pid);
    resctrl.write(directory + "/tasks", text);
    if (monitor != null) resctrl.write(monitor + "/tasks", text);
  }

  /// Changes the share.
  public void update(List<String> schemata) {
    write(schemata);
  }
}
