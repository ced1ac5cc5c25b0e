package io.jrun.runtime.mount;

import io.jrun.specs.runtime.Mount;
import java.util.List;
import java.util.Set;

/// Where a config may mount: not on the root itself, and in `/proc` nothing but procfs and what
/// stands in for a few of its files.
final class MountDestination {
  private static final Set<String> IN_PROC =
      Set.of(
          "cpuinfo",
          "diskstats",
          "meminfo",
          "stat",
          "swaps",
          "uptime",
          "loadavg",
          "slabinfo",
          "sys/kernel/ns_last_pid",
          "sys/crypto/fips_enabled");

  private MountDestination() {}

  static void check(Mount mount, String type, MountOptions options) {
    String destination = mount.destination();
    List<String> names = InRoot.components(destination);
    if (names.isEmpty())
      throw new IllegalArgumentException(
          "mount destination " + destination + " is the root itself");
    if (!names.getFirst().equals("proc")) return;
    if (names.size() == 1) {
      // what is not procfs there would take what is written for the kernel (CVE-2019-16884)
      String source = mount.source() == null ? "" : mount.source();
      boolean procfs = options.bind() ? source.matches("/+proc/*") : type.equals("proc");
      if (procfs) return;
      throw new IllegalArgumentException(
          "mount destination " + destination + ": not allowed, only procfs is");
    }
    if (IN_PROC.contains(String.join("/", names.subList(1, names.size())))) return;
    throw new IllegalArgumentException(
        "mount destination " + destination + " is inside /proc: not allowed");
  }
}
