package io.jrun.runtime.cgroup;

import java.util.List;

/// What a container's scope is called and where it is, of a `cgroupsPath` as `slice:prefix:name`
/// (runtime-spec's config-linux.md leaves the form to the runtime; this one is runc's and crun's).
///
/// @param slice its name, or empty for the manager's own place of users' and systems' units
public record ScopeName(String slice, String unit) {
  private static final String SLICE = ".slice";

  /// @param cgroupsPath the spec's; empty for a scope named by the id in the default slice
  /// @param user whether the manager is a user's
  static ScopeName of(String cgroupsPath, String id, boolean user) {
    String path = cgroupsPath.isEmpty() ? ":jrun:" + id : cgroupsPath;
    List<String> parts = List.of(path.split(":", -1));
    if (parts.size() != 3)
      throw new CgroupException(
          "expected cgroupsPath to be slice:prefix:name with the systemd cgroup driver, not \""
              + cgroupsPath
              + "\"");
    String name = parts.get(2);
    if (name.isEmpty())
      throw new CgroupException("cgroupsPath \"" + cgroupsPath + "\" has no name");
    if (name.endsWith(SLICE))
      throw new CgroupException(
          "cgroupsPath \"" + cgroupsPath + "\" names a slice, which has no processes of its own");
    String prefix = parts.get(1).isEmpty() ? "" : parts.get(1) + "-";
    String slice = parts.getFirst();
    if (slice.isEmpty()) slice = user ? "user.slice" : "system.slice";
    ScopeName scope = new ScopeName(slice, prefix + name + ".scope");
    scope.path(); // checks the slice
    return scope;
  }

  /// The scope's cgroup below the manager's: `a-b.slice` is in `a.slice` (systemd.slice(5)).
  String path() {
    if (!slice.endsWith(SLICE) || slice.contains("/")) throw invalid();
    String name = slice.substring(0, slice.length() - SLICE.length());
    StringBuilder path = new StringBuilder();
    if (!name.equals("-")) {
      StringBuilder prefix = new StringBuilder();
      for (String part : name.split("-", -1)) {
        if (part.isEmpty()) throw invalid();
        path.append('/').append(prefix).append(part).append(SLICE);
        prefix.append(part).append('-');
      }
    }
    return path + "/" + unit;
  }

  private CgroupException invalid() {
    return new CgroupException("invalid slice name \"" + slice + "\"");
  }
}
