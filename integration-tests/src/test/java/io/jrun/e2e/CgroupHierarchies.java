package io.jrun.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The machine's hierarchies of cgroups: those of v1, the one of v2 or both.
final class CgroupHierarchies {
  private CgroupHierarchies() {}

  static boolean isV2Alone() {
    return Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));
  }

  /// Where that controller of v1 is. With systemd some are together, and the name of each is a
  /// link.
  static Path ofV1(String controller) throws IOException {
    return Path.of("/sys/fs/cgroup", controller).toRealPath();
  }

  static List<Path> mountPoints() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.substring(line.indexOf(" - ") + 3).startsWith("cgroup"))
        .map(line -> Path.of(line.split(" ")[4]))
        // not what somebody shows elsewhere, in the root of a container
        .filter(path -> path.startsWith("/sys/fs/cgroup"))
        .distinct()
        .toList();
  }
}
