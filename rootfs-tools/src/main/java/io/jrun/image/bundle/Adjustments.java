package io.jrun.image.bundle;

import io.jrun.image.ImageException;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Capabilities;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Resources;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a command line asks for beside what an image says, in the words that docker's users know.
///
/// @param volumes `source:destination[:options]`, the source an absolute path, or only a
///   destination for an empty volume
/// @param tmpfs `destination[:options]`
/// @param memory bytes, or with a suffix; empty for no limit
/// @param cpus how many processors, such as `1.5`; empty for no limit
/// @param pids the most processes; empty for no limit
/// @param known the capabilities that an added `all` means
public record Adjustments(
    List<String> volumes,
    List<String> tmpfs,
    String memory,
    String cpus,
    String pids,
    List<String> capAdd,
    List<String> capDrop,
    List<String> known,
    String hostname) {
  private static final String ALL = "all";
  private static final long PERIOD_MICROS = 100_000;

  /// As docker's daemon has it.
  private static final long LEAST_MEMORY = 6 << 20;

  /// The kernel's (1 ms).
  private static final long LEAST_QUOTA_MICROS = 1000;

  /// Of `--volume`, what docker takes and Linux has no use for; there is no label to change where
  /// SELinux is not.
  private static final Set<String> WITHOUT_EFFECT =
      Set.of("z", "Z", "nocopy", "cached", "delegated", "consistent");

  private static final Set<String> TMPFS_OPTIONS =
      Set.of(
          ("ro rw exec noexec suid nosuid dev nodev sync async atime noatime diratime nodiratime"
                  + " relatime norelatime strictatime nostrictatime tmpcopyup private rprivate"
                  + " slave rslave shared rshared unbindable runbindable"
                  + " size mode uid gid nr_inodes nr_blocks mpol huge noswap inode32 inode64")
              .split(" "));

  private static final Pattern BYTES =
      Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(|b|k|kb|kib|m|mb|mib|g|gb|gib|t|tb|tib)");

  public Adjustments {
    volumes = List.copyOf(volumes);
    tmpfs = List.copyOf(tmpfs);
    capAdd = List.copyOf(capAdd);
    capDrop = List.copyOf(capDrop);
    known = List.copyOf(known);
  }

  public Config apply(Config config) {
    List<Mount> mounts = new ArrayList<>(config.mounts());
    for (String volume : volumes) put(mounts, volume(volume));
    for (String one : tmpfs) put(mounts, tmpfs(one));
    // as docker has it, none hides another that is given before it
    if (!volumes.isEmpty() || !tmpfs.isEmpty())
      mounts.sort(Comparator.comparingInt(Adjustments::depth));
    Process process = Objects.requireNonNull(config.process());
    Config changed =
        config
            .withMounts(mounts)
            .withProcess(process.withCapabilities(capabilities(process.capabilities())))
            .withLinux(config.linux().withResources(resources(config.linux().resources())));
    return hostname.isEmpty() ? changed : changed.withHostname(hostname);
  }

  /// In place of an image's own volume.
  private static void put(List<Mount> mounts, Mount mount) {
    mounts.removeIf(other -> other.destination().equals(mount.destination()));
    mounts.add(mount);
  }

  private static int depth(Mount mount) {
    return Path.of(mount.destination()).getNameCount();
  }

  private static String normal(String destination) {
    return Path.of(destination).normalize().toString();
  }

  private static Mount volume(String text) {
    String[] fields = text.split(":");
    if (fields.length == 1 && text.startsWith("/")) return Conversion.emptyVolume(normal(text));
    if (fields.length < 2
        || fields.length > 3
        || !fields[0].startsWith("/")
        || !fields[1].startsWith("/")) {
      throw new ImageException("not a volume (/source:/destination[:options]): " + text);
    }
    List<String> options = new ArrayList<>(List.of("rbind"));
    if (fields.length > 2) options.addAll(List.of(fields[2].split(",")));
    options.removeIf(WITHOUT_EFFECT::contains);
    if (options.contains("ro") && options.contains("rw")) {
      throw new ImageException("--volume: ro or rw, not both: " + text);
    }
    return new Mount(
        normal(fields[1]), "bind", fields[0], options, List.of(), List.of(), Json.JsonObject.EMPTY);
  }

  private static Mount tmpfs(String text) {
    int colon = text.indexOf(':');
    String destination = colon < 0 ? text : text.substring(0, colon);
    if (!destination.startsWith("/")) {
      throw new ImageException("not a tmpfs (/destination[:options]): " + text);
    }
    List<String> options = new ArrayList<>(List.of("nosuid", "nodev", "noexec"));
    if (colon >= 0) options.addAll(List.of(text.substring(colon + 1).split(",")));
    for (String option : options) {
      int equals = option.indexOf('=');
      if (!TMPFS_OPTIONS.contains(equals < 0 ? option : option.substring(0, equals))) {
        throw new ImageException("--tmpfs: not an option of a tmpfs: " + option);
      }
    }
    return new Mount(
        normal(destination),
        "tmpfs",
        "tmpfs",
        options,
        List.of(),
        List.of(),
        Json.JsonObject.EMPTY);
  }

  private Resources resources(Resources resources) {
    Resources changed = resources;
    long bytes = memory.isEmpty() ? 0 : amount(memory);
    if (bytes > 0) {
      if (bytes < LEAST_MEMORY) {
        throw new ImageException("--memory: less than 6m is not enough to begin with: " + memory);
      }
      changed =
          changed.withMemory(
              new Resources.Memory(
                  bytes, null, null, null, null, null, null, null, null, Json.JsonObject.EMPTY));
    }
    long quota = cpus.isEmpty() ? 0 : quota(cpus);
    if (quota > 0) {
      changed =
          changed.withCpu(
              new Resources.Cpu(
                  null,
                  quota,
                  null,
                  PERIOD_MICROS,
                  null,
                  null,
                  null,
                  null,
                  null,
                  Json.JsonObject.EMPTY));
    }
    // as docker has it, neither of the two is a limit
    if (!pids.isEmpty() && !pids.equals("-1") && !pids.equals("0")) {
      changed = changed.withPids(new Resources.Pids(number(pids), Json.JsonObject.EMPTY));
    }
    return changed;
  }

  /// A number of bytes, or one with a suffix as docker knows them: `b`, `k`, `kb`, `kib` and so on
  /// to `t`, all of them powers of 1024.
  public static long bytes(String text) {
    long bytes = amount(text);
    if (bytes == 0) throw new ImageException("not a number of bytes: " + text);
    return bytes;
  }

  private static long amount(String text) {
    Matcher matcher = BYTES.matcher(text.toLowerCase(Locale.ROOT));
    if (!matcher.matches()) throw new ImageException("not a number of bytes: " + text);
    int shift = "bkmgt".indexOf(matcher.group(2).isEmpty() ? 'b' : matcher.group(2).charAt(0)) * 10;
    BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(1L << shift));
    if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new ImageException("too much: " + text);
    }
    return bytes.longValue();
  }

  /// In microseconds of each period; 0 is no limit, as docker has it.
  private static long quota(String cpus) {
    try {
      BigDecimal given = new BigDecimal(cpus);
      if (given.signum() == 0) return 0;
      long micros = given.multiply(BigDecimal.valueOf(PERIOD_MICROS)).longValueExact();
      if (micros >= LEAST_QUOTA_MICROS) return micros;
      if (micros > 0) throw new ImageException("--cpus: at least 0.01: " + cpus);
    } catch (ArithmeticException | NumberFormatException e) {
      // told below
    }
    throw new ImageException("--cpus: not a number of processors: " + cpus);
  }

  private static long number(String text) {
    try {
      long number = Long.parseLong(text);
      if (number > 0) return number;
    } catch (NumberFormatException e) {
      // told below
    }
    throw new ImageException("--pids-limit: not a positive number: " + text);
  }

  private Capabilities capabilities(@org.jspecify.annotations.Nullable Capabilities given) {
    TreeSet<String> set = new TreeSet<>(given == null ? List.of() : given.bounding());
    if (capAdd.stream().anyMatch(ALL::equalsIgnoreCase)) set.addAll(known);
    for (String name : capDrop) {
      if (name.equalsIgnoreCase(ALL)) set.clear();
      else set.remove(capability(name));
    }
    for (String name : capAdd) if (!name.equalsIgnoreCase(ALL)) set.add(capability(name));
    List<String> all = List.copyOf(set);
    return new Capabilities(all, all, List.of(), all, List.of(), Json.JsonObject.EMPTY);
  }

  private static String capability(String name) {
    String upper = name.toUpperCase(Locale.ROOT);
    String full = upper.startsWith("CAP_") ? upper : "CAP_" + upper;
    if (!Capabilities.NAMES.contains(full)) throw new ImageException("no capability: " + name);
    return full;
  }
}
