package io.jrun.runtime.cgroup;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Where a container's cgroups are: the path rules of runc's cgroupfs driver, without a syscall.
final class CgroupPath {
  private CgroupPath() {}

  /// The container's directory in each hierarchy it uses, in the order of the mounts.
  ///
  /// @param cgroupsPath the spec's; absolute is below each mount, relative below the caller's own
  ///   cgroup, empty like the id
  /// @param ownCgroups the text of the caller's /proc/self/cgroup
  static Map<Hierarchy, String> of(
      Hierarchies hierarchies, String cgroupsPath, String id, String ownCgroups) {
    Map<String, String> own = own(ownCgroups);
    boolean absolute = cgroupsPath.startsWith("/");
    String inner = clean(cgroupsPath.isEmpty() ? id : cgroupsPath);
    if (inner.equals("/"))
      throw new CgroupException("cgroupsPath " + cgroupsPath + " names the root cgroup");
    Map<Hierarchy, String> directories = new LinkedHashMap<>();
    for (Hierarchy hierarchy : hierarchies.used()) {
      if (absolute) {
        directories.put(hierarchy, join(hierarchy.mountPoint(), inner));
        continue;
      }
      String cgroup = own.get(hierarchy.key());
      if (cgroup == null)
        throw new CgroupException(
            "/proc/self/cgroup has no line of the hierarchy " + hierarchy.mountPoint());
      // The own cgroup of v2 most likely has processes, and then its children cannot have
      // controllers; its parent's can.
      if (hierarchies.unified()) cgroup = parent(clean(cgroup));
      directories.put(hierarchy, join(hierarchy.directoryOf(cgroup), inner));
    }
    return directories;
  }

  /// The cgroup in each line of /proc/PID/cgroup by every controller it names; `""` for v2.
  static Map<String, String> own(String text) {
    Map<String, String> own = new TreeMap<>();
    for (String line : text.split("\n")) {
      String[] fields = line.split(":", 3);
      if (fields.length < 3) continue;
      for (String controller : fields[1].split(",")) own.put(controller, fields[2]);
    }
    return own;
  }

  /// The path as absolute, without `.`, `..` and doubled slashes; `..` does not leave the top.
  static String clean(String path) {
    List<String> parts = new ArrayList<>();
    for (String part : path.split("/")) {
      if (part.isEmpty() || part.equals(".")) continue;
      if (!part.equals("..")) parts.add(part);
      else if (!parts.isEmpty()) parts.removeLast();
    }
    return "/" + String.join("/", parts);
  }

  static String join(String directory, String cleaned) {
    if (cleaned.equals("/")) return directory;
    return directory.equals("/") ? cleaned : directory + cleaned;
  }

  static String parent(String cleaned) {
    int slash = cleaned.lastIndexOf('/');
    return slash <= 0 ? "/" : cleaned.substring(0, slash);
  }
}
