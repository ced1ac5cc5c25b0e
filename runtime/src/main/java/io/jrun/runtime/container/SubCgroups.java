package io.jrun.runtime.container;

import io.jrun.runtime.cgroup.Hierarchies;
import io.jrun.runtime.cgroup.Hierarchy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `exec --cgroup`: directories below the container's own, which must exist.
final class SubCgroups {
  private SubCgroups() {}

  /// The container's directories with those exchanged that were asked for.
  ///
  /// @param own by hierarchy
  /// @param asked `path` for all hierarchies, or `controller[,controller]:path`
  static Map<String, String> of(
      Map<String, String> own, Hierarchies hierarchies, List<String> asked) {
    Map<String, String> paths = new LinkedHashMap<>(own);
    parse(asked)
        .forEach((controller, path) -> {
          if (controller.isEmpty()) {
            own.forEach((key, base) -> {
              // beside v1 the unified hierarchy has no limits, so nobody makes sub-cgroups there
              if (!key.isEmpty() || hierarchies.unified()) paths.put(key, below(base, path));
            });
            return;
          }
          String key = hierarchies.of(controller).map(Hierarchy::key).orElse(controller);
          String base = own.get(key);
          if (base == null)
            throw new ContainerException("exec --cgroup: unknown controller " + controller);
          paths.put(key, below(base, path));
        });
    return paths;
  }

  static Map<String, String> parse(List<String> asked) {
    Map<String, String> paths = new LinkedHashMap<>();
    for (String argument : asked) {
      int colon = argument.indexOf(':');
      if (colon < 0) {
        if (asked.size() != 1)
          throw new ContainerException(
              "invalid --cgroup argument: " + argument + " (missing <controller>: prefix)");
        return Map.of("", argument);
      }
      for (String controller : argument.substring(0, colon).split(",", -1)) {
        if (controller.isEmpty())
          throw new ContainerException(
              "invalid --cgroup argument (empty <controller> prefix): " + argument);
        if (paths.put(controller, argument.substring(colon + 1)) != null)
          throw new ContainerException(
              "invalid --cgroup argument(s): controller "
                  + controller
                  + " specified multiple times");
      }
    }
    return paths;
  }

  private static String below(String base, String path) {
    for (String name : path.split("/")) {
      if (name.equals(".."))
        throw new ContainerException("exec --cgroup: bad sub cgroup path: " + path);
    }
    return path.replace("/", "").isEmpty() ? base : base + "/" + path.replaceAll("^/+|/+$", "");
  }
}
