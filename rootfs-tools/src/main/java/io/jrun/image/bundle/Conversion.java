package io.jrun.image.bundle;

import io.jrun.image.ImageException;
import io.jrun.specs.image.Execution;
import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Capabilities;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Root;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// From an image's configuration to a container's (image-spec, conversion.md).
public final class Conversion {
  private static final String ANNOTATION = "org.opencontainers.image.";
  private static final List<String> VOLUME =
      List.of("rw", "nosuid", "nodev", "relatime", "tmpcopyup");

  /// What docker gives a container: package managers and servers that drop root's rights need them.
  private static final List<String> CAPABILITIES =
      List.of(
          "CAP_AUDIT_WRITE",
          "CAP_CHOWN",
          "CAP_DAC_OVERRIDE",
          "CAP_FOWNER",
          "CAP_FSETID",
          "CAP_KILL",
          "CAP_MKNOD",
          "CAP_NET_BIND_SERVICE",
          "CAP_NET_RAW",
          "CAP_SETFCAP",
          "CAP_SETGID",
          "CAP_SETPCAP",
          "CAP_SETUID",
          "CAP_SYS_CHROOT");

  private Conversion() {}

  /// @param base what neither the image nor the caller says
  /// @param terminal whether the process gets one
  public static Config config(
      Config base, ImageConfig image, Accounts accounts, Overrides overrides, boolean terminal) {
    Execution execution = image.config();
    Process process = Objects.requireNonNull(base.process());
    String user = overrides.user() != null ? overrides.user() : execution.user();
    String cwd = overrides.cwd() != null ? overrides.cwd() : execution.workingDir();
    process =
        process
            .withTerminal(terminal)
            .withCapabilities(
                new Capabilities(
                    CAPABILITIES,
                    CAPABILITIES,
                    List.of(),
                    CAPABILITIES,
                    List.of(),
                    Json.JsonObject.EMPTY))
            .withUser(accounts.find(user == null ? "" : user))
            .withArgs(args(execution, overrides))
            .withEnv(env(process.env(), execution.env(), overrides.env(), terminal))
            .withCwd(cwd == null ? "/" : absolute(cwd));
    List<Mount> mounts = new ArrayList<>(base.mounts());
    for (String volume : execution.volumes()) {
      mounts.add(emptyVolume(Path.of(absolute(volume)).normalize().toString()));
    }
    return base.withProcess(process)
        .withRoot(new Root("rootfs", overrides.readOnly(), Json.JsonObject.EMPTY))
        .withMounts(mounts)
        .withAnnotations(annotations(image));
  }

  /// A volume that nobody has given content: it has what the image has there.
  static Mount emptyVolume(String destination) {
    return new Mount(
        destination, "tmpfs", "none", VOLUME, List.of(), List.of(), Json.JsonObject.EMPTY);
  }

  private static String absolute(String path) {
    return path.startsWith("/") ? path : "/" + path;
  }

  private static List<String> args(Execution execution, Overrides overrides) {
    List<String> args = new ArrayList<>();
    if (overrides.entrypoint() != null) args.addAll(overrides.entrypoint());
    else args.addAll(execution.entrypoint());
    if (!overrides.args().isEmpty()) args.addAll(overrides.args());
    else if (overrides.entrypoint() == null) args.addAll(execution.cmd());
    if (args.isEmpty()) {
      throw new ImageException("the image has neither entrypoint nor command: say what to run");
    }
    return args;
  }

  /// Later values replace earlier ones in their place; TERM is only for a terminal.
  private static List<String> env(
      List<String> base, List<String> image, List<String> given, boolean terminal) {
    Map<String, String> variables = new LinkedHashMap<>();
    for (String variable : base) {
      if (terminal || !variable.startsWith("TERM=")) put(variables, variable);
    }
    image.forEach(variable -> put(variables, variable));
    given.forEach(variable -> put(variables, variable));
    return List.copyOf(variables.values());
  }

  private static void put(Map<String, String> variables, String variable) {
    int equals = variable.indexOf('=');
    variables.put(equals < 0 ? variable : variable.substring(0, equals), variable);
  }

  private static Map<String, String> annotations(ImageConfig image) {
    Map<String, String> annotations = new TreeMap<>();
    put(annotations, "os", image.os());
    put(annotations, "architecture", image.architecture());
    put(annotations, "variant", image.variant());
    put(annotations, "author", image.author());
    put(annotations, "created", image.created());
    put(annotations, "stopSignal", image.config().stopSignal());
    put(annotations, "exposedPorts", String.join(",", image.config().exposedPorts()));
    if (image.unknown().member("os.version") instanceof Json.JsonString(String version)) {
      put(annotations, "os.version", version);
    }
    annotations.putAll(image.config().labels());
    return annotations;
  }

  private static void put(Map<String, String> annotations, String name, @Nullable String value) {
    if (value != null && !value.isEmpty()) annotations.put(ANNOTATION + name, value);
  }
}
