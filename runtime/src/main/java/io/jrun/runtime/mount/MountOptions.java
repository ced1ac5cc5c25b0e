package io.jrun.runtime.mount;

import static io.jrun.kernel.call.MountCall.*;

import io.jrun.specs.json.LatestParsed;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// A mount's options, sorted by who takes them: mount attributes, the superblock, propagation, and
/// the filesystem's own data. Options not in mount(8)'s table are data.
///
/// @param attributes MOUNT_ATTR bits to set
/// @param cleared MOUNT_ATTR bits to clear (`rw`, `suid` …), for bind mounts
/// @param recursive MOUNT_ATTR bits to set on the whole tree (`rro` …)
/// @param superblock flags of the filesystem context, such as `ro` and `sync`
/// @param propagation MS_ bits, each with or without MS_REC, in the order given
/// @param data the filesystem's own options
public record MountOptions(
    boolean bind,
    boolean recursiveBind,
    long attributes,
    long cleared,
    long recursive,
    long recursiveCleared,
    List<String> superblock,
    List<Long> propagation,
    List<String> data,
    boolean copyUp) {

  private static final Map<String, Long> SETS =
      Map.ofEntries(
          Map.entry("ro", (long) MOUNT_ATTR_RDONLY),
          Map.entry("nosuid", (long) MOUNT_ATTR_NOSUID),
          Map.entry("nodev", (long) MOUNT_ATTR_NODEV),
          Map.entry("noexec", (long) MOUNT_ATTR_NOEXEC),
          Map.entry("noatime", (long) MOUNT_ATTR_NOATIME),
          Map.entry("strictatime", (long) MOUNT_ATTR_STRICTATIME),
          Map.entry("relatime", 0L),
          Map.entry("nodiratime", (long) MOUNT_ATTR_NODIRATIME),
          Map.entry("nosymfollow", (long) MOUNT_ATTR_NOSYMFOLLOW));
  private static final Map<String, Long> CLEARS =
      Map.of(
          "rw",
          (long) MOUNT_ATTR_RDONLY,
          "suid",
          (long) MOUNT_ATTR_NOSUID,
          "dev",
          (long) MOUNT_ATTR_NODEV,
          "exec",
          (long) MOUNT_ATTR_NOEXEC,
          "atime",
          (long) MOUNT_ATTR__ATIME,
          "diratime",
          (long) MOUNT_ATTR_NODIRATIME,
          "symfollow",
          (long) MOUNT_ATTR_NOSYMFOLLOW);
  private static final Map<String, Long> PROPAGATION =
      Map.of(
          "private",
          (long) MS_PRIVATE,
          "rprivate",
          (long) MS_PRIVATE | MS_REC,
          "slave",
          (long) MS_SLAVE,
          "rslave",
          (long) MS_SLAVE | MS_REC,
          "shared",
          (long) MS_SHARED,
          "rshared",
          (long) MS_SHARED | MS_REC,
          "unbindable",
          (long) MS_UNBINDABLE,
          "runbindable",
          (long) MS_UNBINDABLE | MS_REC);
  private static final List<String> SUPERBLOCK =
      List.of("sync", "async", "dirsync", "lazytime", "nolazytime", "mand", "nomand");

  /// What changes nothing. fsconfig(2) has no flag for `iversion`: the file systems that keep
  /// versions of inodes have options of their own for it, or always do.
  private static final List<String> IGNORED =
      List.of("defaults", "silent", "loud", "norelatime", "rnorelatime", "iversion", "noiversion");

  public MountOptions {
    superblock = List.copyOf(superblock);
    propagation = List.copyOf(propagation);
    data = List.copyOf(data);
  }

  /// The latest: a command asks several times for each mount, and most containers have the same.
  private static final Map<Asked, MountOptions> LATEST = new LatestParsed<>(64);

  /// What longer options say (an overlay's layers) is of one container.
  private static final int LONGEST = 32;

  private record Asked(boolean bind, List<String> options) {
    boolean isUsual() {
      for (String option : options) if (option.length() > LONGEST) return false;
      return true;
    }
  }

  public static MountOptions parse(String type, List<String> options) {
    Asked asked = new Asked(type.equals("bind"), List.copyOf(options));
    if (!asked.isUsual()) return parse(asked);
    synchronized (LATEST) {
      return LATEST.computeIfAbsent(asked, MountOptions::parse);
    }
  }

  private static MountOptions parse(Asked asked) {
    boolean bind = asked.bind();
    boolean recursiveBind = false;
    boolean copyUp = false;
    Attributes own = new Attributes();
    Attributes recursive = new Attributes();
    List<String> superblock = new ArrayList<>();
    List<Long> propagation = new ArrayList<>();
    List<String> data = new ArrayList<>();
    for (String option : asked.options()) {
      String base = option.startsWith("r") ? option.substring(1) : "";
      if (option.equals("bind")) bind = true;
      else if (option.equals("rbind")) bind = recursiveBind = true;
      else if (option.equals("tmpcopyup")) copyUp = true;
      else if (option.equals("idmap") || option.equals("ridmap")) {
        // the mount's source is prepared by who may give it other ids
      } else if (option.equals("nostrictatime")) {
        own.set &= ~MOUNT_ATTR_STRICTATIME;
      } else if (option.equals("rnostrictatime")) {
        recursive.clear(MOUNT_ATTR__ATIME);
      } else if (SETS.containsKey(option)) {
        own.add(option);
        if (option.equals("ro") && !superblock.contains("ro")) superblock.add("ro");
      } else if (CLEARS.containsKey(option)) {
        own.clear(CLEARS.get(option));
        if (option.equals("rw")) superblock.remove("ro");
      } else if (SETS.containsKey(base)) recursive.add(base);
      else if (CLEARS.containsKey(base)) recursive.clear(CLEARS.get(base));
      else if (PROPAGATION.containsKey(option)) propagation.add(PROPAGATION.get(option));
      else if (SUPERBLOCK.contains(option)) superblock.add(option);
      else if (!IGNORED.contains(option) && !option.isEmpty()) data.add(option);
    }
    return new MountOptions(
        bind,
        recursiveBind,
        own.set,
        own.cleared,
        recursive.set,
        recursive.cleared,
        superblock,
        propagation,
        data,
        copyUp);
  }

  /// Attributes as mount_setattr(2) is told them; of two opposites the later one counts.
  private static final class Attributes {
    private long set;
    private long cleared;

    void add(String option) {
      long bits = Objects.requireNonNull(SETS.get(option));
      // one field, which must be cleared for another value
      if (isAtime(option)) clear(MOUNT_ATTR__ATIME);
      else cleared &= ~bits;
      set |= bits;
    }

    void clear(long bits) {
      set &= ~bits;
      cleared |= bits;
    }
  }

  /// The same without `ro`.
  MountOptions writable() {
    List<String> flags = new ArrayList<>(superblock);
    flags.remove("ro");
    return new MountOptions(
        bind,
        recursiveBind,
        attributes & ~MOUNT_ATTR_RDONLY,
        cleared,
        recursive,
        recursiveCleared,
        flags,
        propagation,
        data,
        copyUp);
  }

  private static boolean isAtime(String option) {
    return option.endsWith("atime") && !option.equals("nodiratime");
  }
}
