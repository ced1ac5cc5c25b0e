package io.jrun.runtime.shim;

import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.specs.runtime.IdMapping;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The options of a mount that containerd asks for: mount(2)'s flags by the names of mount(8),
/// `uidmap=` and `gidmap=`, what lies between it and its source, and what the file system itself is
/// told.
///
/// @param loop the flags of the loop device that is put before the source; 0 for none
/// @param propagation changes of it, in their order
/// @param data of the file system
/// @param uids, gids by which its files are mapped; both empty where they are not
record RootfsOptions(
    long flags,
    int loop,
    List<Integer> propagation,
    List<String> data,
    List<IdMapping> uids,
    List<IdMapping> gids) {
  private static final Map<String, Integer> SETS =
      Map.ofEntries(
          Map.entry("ro", MountCall.MS_RDONLY),
          Map.entry("nosuid", MountCall.MS_NOSUID),
          Map.entry("nodev", MountCall.MS_NODEV),
          Map.entry("noexec", MountCall.MS_NOEXEC),
          Map.entry("sync", MountCall.MS_SYNCHRONOUS),
          Map.entry("dirsync", MountCall.MS_DIRSYNC),
          Map.entry("remount", MountCall.MS_REMOUNT),
          Map.entry("mand", MountCall.MS_MANDLOCK),
          Map.entry("noatime", MountCall.MS_NOATIME),
          Map.entry("nodiratime", MountCall.MS_NODIRATIME),
          Map.entry("relatime", MountCall.MS_RELATIME),
          Map.entry("strictatime", MountCall.MS_STRICTATIME),
          Map.entry("bind", MountCall.MS_BIND),
          Map.entry("rbind", MountCall.MS_BIND | MountCall.MS_REC));
  private static final Map<String, Integer> CLEARS =
      Map.ofEntries(
          Map.entry("rw", MountCall.MS_RDONLY),
          Map.entry("suid", MountCall.MS_NOSUID),
          Map.entry("dev", MountCall.MS_NODEV),
          Map.entry("exec", MountCall.MS_NOEXEC),
          Map.entry("async", MountCall.MS_SYNCHRONOUS),
          Map.entry("nomand", MountCall.MS_MANDLOCK),
          Map.entry("atime", MountCall.MS_NOATIME),
          Map.entry("diratime", MountCall.MS_NODIRATIME),
          Map.entry("norelatime", MountCall.MS_RELATIME),
          Map.entry("nostrictatime", MountCall.MS_STRICTATIME),
          Map.entry("defaults", 0));
  private static final Map<String, Integer> PROPAGATION =
      Map.of(
          "private",
          MountCall.MS_PRIVATE,
          "rprivate",
          MountCall.MS_PRIVATE | MountCall.MS_REC,
          "slave",
          MountCall.MS_SLAVE,
          "rslave",
          MountCall.MS_SLAVE | MountCall.MS_REC,
          "shared",
          MountCall.MS_SHARED,
          "rshared",
          MountCall.MS_SHARED | MountCall.MS_REC,
          "unbindable",
          MountCall.MS_UNBINDABLE,
          "runbindable",
          MountCall.MS_UNBINDABLE | MountCall.MS_REC);
  private static final String LOOP = "loop";
  private static final String DIRECT_IO = "direct-io";
  private static final String UIDMAP = "uidmap=";
  private static final String GIDMAP = "gidmap=";

  static RootfsOptions parse(List<String> options) {
    long flags = 0;
    boolean hasLoop = options.contains(LOOP);
    List<Integer> propagation = new ArrayList<>();
    List<String> data = new ArrayList<>();
    List<IdMapping> uids = List.of();
    List<IdMapping> gids = List.of();
    for (String option : options) {
      if (SETS.containsKey(option)) flags |= SETS.get(option);
      else if (CLEARS.containsKey(option)) flags &= ~(long) CLEARS.get(option);
      else if (PROPAGATION.containsKey(option)) propagation.add(PROPAGATION.get(option));
      else if (option.startsWith(UIDMAP)) uids = mappings(option, UIDMAP);
      else if (option.startsWith(GIDMAP)) gids = mappings(option, GIDMAP);
      else if (!option.equals(LOOP)) data.add(option);
    }
    int loop = 0;
    if (hasLoop) {
      loop = IoctlCall.LO_FLAGS_AUTOCLEAR;
      if ((flags & MountCall.MS_RDONLY) != 0) loop |= IoctlCall.LO_FLAGS_READ_ONLY;
      if (data.remove(DIRECT_IO)) loop |= IoctlCall.LO_FLAGS_DIRECT_IO;
    }
    if (uids.isEmpty() != gids.isEmpty())
      throw RpcException.unknown("mount options uidmap and gidmap are needed together");
    return new RootfsOptions(flags, loop, propagation, data, uids, gids);
  }

  /// Of `CONTAINER:HOST:SIZE,...`.
  private static List<IdMapping> mappings(String option, String name) {
    List<IdMapping> mappings = new ArrayList<>();
    for (String mapping : option.substring(name.length()).split(",")) {
      if (!mapping.matches("\\d{1,10}:\\d{1,10}:\\d{1,10}"))
        throw RpcException.unknown("mount option " + option + ": not CONTAINER:HOST:SIZE");
      String[] numbers = mapping.split(":");
      mappings.add(
          IdMapping.of(
              Long.parseLong(numbers[0]), Long.parseLong(numbers[1]), Long.parseLong(numbers[2])));
    }
    return mappings;
  }

  boolean isMapped() {
    return !uids.isEmpty();
  }

  String text() {
    return String.join(",", data);
  }

  RootfsOptions withData(List<String> other) {
    return new RootfsOptions(flags, loop, propagation, other, uids, gids);
  }
}
