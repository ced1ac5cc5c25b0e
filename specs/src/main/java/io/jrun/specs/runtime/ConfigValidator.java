package io.jrun.specs.runtime;

import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.Problem;
import io.jrun.specs.json.SpecException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// What a [Config] must mean beyond its structure; needs no kernel, so what depends on the host is
/// not here.
public final class ConfigValidator {
  /// PATH_MAX without its NUL.
  private static final int MOST_PATH = 4095;

  private static final Pattern SEMVER =
      Pattern.compile(
          "(0|[1-9]\\d{0,8})\\.(0|[1-9]\\d{0,8})\\.(0|[1-9]\\d{0,8})"
              + "(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?");

  private final List<Problem> problems = new ArrayList<>();

  private ConfigValidator() {}

  /// All that is wrong; empty for a valid configuration.
  public static List<Problem> problems(Config config) {
    ConfigValidator validator = new ConfigValidator();
    validator.config(config);
    return List.copyOf(validator.problems);
  }

  /// All that is wrong with the document of `exec --process`.
  public static List<Problem> problems(Process process) {
    ConfigValidator validator = new ConfigValidator();
    new ProcessRules(validator.problems, "").check(process);
    return List.copyOf(validator.problems);
  }

  /// Throws all that is wrong, if anything is.
  public static void check(Config config) {
    List<Problem> problems = problems(config);
    if (!problems.isEmpty()) {
      throw new SpecException(Config.DOCUMENT, problems);
    }
  }

  /// As [#check(Config)], for the document of `exec --process`, or what became of it.
  public static void check(Process process) {
    List<Problem> problems = problems(process);
    if (!problems.isEmpty()) {
      throw new SpecException(Process.DOCUMENT, problems);
    }
  }

  /// The same for what `update` is to change.
  public static void check(Resources resources) {
    List<Problem> problems = new ArrayList<>();
    new ResourceRules(problems, "").check(resources);
    if (!problems.isEmpty()) {
      throw new SpecException(Resources.DOCUMENT, problems);
    }
  }

  /// What is doubtful but must not be refused, such as a capability that no kernel knows: config.md
  /// wants those logged.
  public static List<Problem> warnings(Config config) {
    List<Problem> warnings = new ArrayList<>();
    if (config.process() != null) {
      warnings.addAll(warnings(config.process(), "/process"));
    }
    for (int i = 0; i < config.mounts().size(); i++) {
      String destination = config.mounts().get(i).destination();
      if (!destination.isEmpty() && !destination.startsWith("/")) {
        warnings.add(
            new Problem(
                "/mounts/" + i + "/destination",
                "\"" + destination + "\" is relative (deprecated), it is taken as relative to /"));
      }
    }
    warnings.addAll(
        ResourceRules.ignoredAccesses(
            config.linux().resources().devices(), "/linux/resources/devices"));
    return warnings;
  }

  /// As [#warnings(Config)], for the document of `exec --process`.
  public static List<Problem> warnings(Process process) {
    return warnings(process, "");
  }

  private static List<Problem> warnings(Process process, String pointer) {
    return process.capabilities() == null
        ? List.of()
        : ProcessRules.ignoredCapabilities(process.capabilities(), pointer + "/capabilities");
  }

  private void config(Config config) {
    version(config.ociVersion());
    if (config.process() != null) {
      new ProcessRules(problems, "/process").check(config.process());
    }
    root(config.root());
    mounts(config.mounts());
    hooks(config.hooks());
    for (String key : config.annotations().keySet()) {
      if (key.isEmpty()) {
        problem("/annotations", "a key must not be empty");
      }
    }
    hostNames(config);
    new LinuxRules(problems, config).check();
    if (config.linux().seccomp() != null) {
      new SeccompRules(problems, "/linux/seccomp").check(config.linux().seccomp());
    }
    new ResourceRules(problems, "/linux/resources").check(config.linux().resources());
  }

  private void version(String version) {
    if (version.isEmpty()) {
      problem("/ociVersion", "is required");
    } else if (!SEMVER.matcher(version).matches()) {
      problem("/ociVersion", "\"" + version + "\" is not a semantic version");
    } else if (!version.startsWith("1.")) {
      problem("/ociVersion", "unsupported version \"" + version + "\", must be 1.x");
    }
  }

  private void root(@Nullable Root root) {
    if (root == null) {
      problem("/root", "is required");
    } else {
      path("/root/path", root.path());
    }
  }

  private void mounts(List<Mount> mounts) {
    for (int i = 0; i < mounts.size(); i++) {
      Mount mount = mounts.get(i);
      String pointer = JsonReader.pointer("/mounts", i);
      path(pointer + "/destination", mount.destination());
      if (mount.destination().length() > MOST_PATH) {
        problem(pointer + "/destination", "must not be longer than " + MOST_PATH);
      }
      noNul(problems, pointer + "/type", mount.type());
      noNul(problems, pointer + "/source", mount.source());
      noNul(problems, pointer + "/options", mount.options());
      if (mount.uidMappings().isEmpty() != mount.gidMappings().isEmpty()) {
        problem(pointer, "uidMappings and gidMappings must be given together");
      }
    }
  }

  private void hooks(Hooks hooks) {
    hooks("prestart", hooks.prestart());
    hooks("createRuntime", hooks.createRuntime());
    hooks("createContainer", hooks.createContainer());
    hooks("startContainer", hooks.startContainer());
    hooks("poststart", hooks.poststart());
    hooks("poststop", hooks.poststop());
  }

  private void hooks(String name, List<Hook> hooks) {
    for (int i = 0; i < hooks.size(); i++) {
      Hook hook = hooks.get(i);
      String pointer = JsonReader.pointer("/hooks/" + name, i);
      absolute(problems, pointer + "/path", hook.path());
      noNul(problems, pointer + "/args", hook.args());
      noNul(problems, pointer + "/env", hook.env());
      if (hook.timeoutSeconds() != null && hook.timeoutSeconds() <= 0) {
        problem(pointer + "/timeout", "must be greater than 0");
      }
    }
  }

  private void hostNames(Config config) {
    if (config.linux().namespace(NamespaceType.UTS) != null) {
      return;
    }
    if (config.hostname() != null) {
      problem("/hostname", "unable to set hostname without a private UTS namespace");
    }
    if (config.domainname() != null) {
      problem("/domainname", "unable to set domainname without a private UTS namespace");
    }
  }

  private void path(String pointer, String path) {
    if (path.isEmpty()) {
      problem(pointer, "must not be empty");
    } else {
      noNul(problems, pointer, path);
    }
  }

  private void problem(String pointer, String message) {
    problems.add(new Problem(pointer, message));
  }

  static void absolute(List<Problem> problems, String pointer, String path) {
    if (!path.startsWith("/")) {
      problems.add(new Problem(pointer, "\"" + path + "\" must be an absolute path"));
    } else {
      noNul(problems, pointer, path);
    }
  }

  /// Where a C string ends: what is behind it the kernel would not see.
  static void noNul(List<Problem> problems, String pointer, @Nullable String text) {
    if (text != null && text.indexOf('\0') >= 0) {
      problems.add(new Problem(pointer, "must not contain NUL"));
    }
  }

  static void noNul(List<Problem> problems, String pointer, List<String> texts) {
    for (int i = 0; i < texts.size(); i++) {
      noNul(problems, pointer + "/" + i, texts.get(i));
    }
  }

  static void oneOf(List<Problem> problems, String pointer, String value, Set<String> known) {
    if (!known.contains(value)) {
      problems.add(new Problem(pointer, "unknown value \"" + value + "\""));
    }
  }

  static void eachOneOf(
      List<Problem> problems, String pointer, List<String> values, Set<String> known) {
    IntStream.range(0, values.size())
        .forEach(i -> oneOf(problems, JsonReader.pointer(pointer, i), values.get(i), known));
  }

  /// Notes every element whose key an earlier one has.
  static <T> void unique(
      List<Problem> problems,
      String pointer,
      List<T> values,
      Function<T, String> key,
      String name) {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < values.size(); i++) {
      String k = key.apply(values.get(i));
      if (!seen.add(k)) {
        problems.add(
            new Problem(JsonReader.pointer(pointer, i) + "/" + name, "duplicate \"" + k + "\""));
      }
    }
  }
}
