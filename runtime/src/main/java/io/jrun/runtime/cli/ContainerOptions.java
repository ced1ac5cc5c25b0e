package io.jrun.runtime.cli;

import io.jrun.image.bundle.Adjustments;
import io.jrun.image.bundle.Overrides;
import io.jrun.image.commands.NamedVolume;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/// What docker's users know to say of a container of an image.
final class ContainerOptions {
  private static final Path SELINUX = Path.of("/sys/fs/selinux/status");
  private static final Pattern PATH = Pattern.compile("\\.\\.?(/.*)?(:.*)?");
  private static final Pattern RELABELLED = Pattern.compile(".*:(.*,)?[zZ](,.*)?");

  private ContainerOptions() {}

  static Options options(Options options) {
    return options
        .text("image", "the image, by name or digest", "--image")
        .text("dir", "the store; by default /var/lib/jrun or ~/.local/share/jrun", "--store")
        .text("os/arch[/variant]", "the platform; by default this machine's", "--platform")
        .texts(
            "[source:]destination[:options]",
            "bind a directory of the host, or a volume by name",
            "--volume",
            "-v")
        .texts("/destination[:options]", "mount a tmpfs", "--tmpfs")
        .texts("NAME[=value]", "set an environment variable, or pass the own", "--env", "-e")
        .text("user[:group]", "in place of the image's user", "--user", "-u")
        .text("dir", "in place of the image's working directory", "--workdir", "-w")
        .text("path", "in place of the image's entrypoint", "--entrypoint")
        .text("name", "the host's name in the container", "--hostname")
        .text("bytes", "the most memory, such as 512m", "--memory", "-m")
        .text("N", "how many processors, such as 1.5", "--cpus")
        .text("N", "the most processes", "--pids-limit")
        .texts("cap", "add a capability", "--cap-add")
        .texts("cap", "drop a capability", "--cap-drop")
        .flag("the root file system is read-only", "--read-only")
        .flag("the process gets a terminal", "--tty", "-t");
  }

  /// @param words the arguments behind the container's
  static Overrides overrides(ParsedLine line, List<String> words, Operations operations) {
    List<String> rest = new ArrayList<>(words);
    if (!rest.isEmpty() && rest.getFirst().equals("--")) rest.removeFirst();
    String entrypoint = line.text("--entrypoint", "");
    List<String> instead = entrypoint.isEmpty() ? List.of() : List.of(entrypoint);
    String cwd = line.text("--workdir");
    if (cwd != null && !cwd.startsWith("/")) {
      throw CommandFailure.usage("--workdir: not an absolute path: " + cwd);
    }
    return new Overrides(
        rest,
        line.has("--entrypoint") ? instead : null,
        variables(line, operations),
        line.text("--user"),
        cwd,
        line.has("--read-only"));
  }

  /// A name alone is the caller's own variable, if it is set.
  private static List<String> variables(ParsedLine line, Operations operations) {
    List<String> variables = new ArrayList<>();
    for (String given : line.texts("--env")) {
      if (given.isEmpty() || given.startsWith("=")) {
        throw CommandFailure.usage("--env: not a variable (NAME=value): " + given);
      }
      if (given.indexOf('=') >= 0) {
        variables.add(given);
      } else {
        Optional<String> own = operations.rootfsTools().variable(given);
        own.ifPresent(value -> variables.add(given + "=" + value));
      }
    }
    return variables;
  }

  /// @param named the directory of a volume of the store
  static Adjustments adjustments(
      ParsedLine line, Operations operations, Function<String, Path> named) {
    List<String> volumes = new ArrayList<>();
    for (String volume : line.texts("--volume")) volumes.add(absolute(volume, operations, named));
    List<String> added = line.texts("--cap-add");
    return new Adjustments(
        volumes,
        line.texts("--tmpfs"),
        line.text("--memory", ""),
        line.text("--cpus", ""),
        line.text("--pids-limit", ""),
        added,
        line.texts("--cap-drop"),
        added.stream().anyMatch("all"::equalsIgnoreCase) ? operations.capabilities() : List.of(),
        line.text("--hostname", ""));
  }

  /// As docker has it, a source is a path where it begins like one, and else the name of a volume.
  private static boolean isNamed(String volume) {
    return !volume.startsWith("/") && !PATH.matcher(volume).matches();
  }

  /// The volumes of the store.
  static List<NamedVolume> namedVolumes(ParsedLine line) {
    List<NamedVolume> volumes = new ArrayList<>();
    for (String given : line.texts("--volume")) {
      if (!isNamed(given)) continue;
      String[] fields = given.split(":");
      boolean copies = fields.length < 3 || !List.of(fields[2].split(",")).contains("nocopy");
      volumes.add(new NamedVolume(fields[0], fields[1], copies));
    }
    return volumes;
  }

  /// @param named the directory of a volume of the store
  private static String absolute(
      String volume, Operations operations, Function<String, Path> named) {
    if (RELABELLED.matcher(volume).matches() && Files.exists(SELINUX)) {
      throw CommandFailure.usage(
          "--volume: z and Z: jrun does not change SELinux's labels: " + volume);
    }
    if (volume.startsWith("/")) return volume;
    if (!isNamed(volume)) return operations.rootfsTools().absolute(volume);
    int colon = volume.indexOf(':');
    if (colon < 0 || !volume.startsWith("/", colon + 1)) {
      throw CommandFailure.usage("--volume: not a volume (name:/destination[:options]): " + volume);
    }
    return named.apply(volume.substring(0, colon)) + volume.substring(colon);
  }
}
