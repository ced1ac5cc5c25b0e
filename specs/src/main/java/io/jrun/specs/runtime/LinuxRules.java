package io.jrun.specs.runtime;

import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.Problem;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// What the Linux part of a [Config] must mean: config-linux.md, without resources and seccomp.
final class LinuxRules {
  private static final Set<String> PROPAGATIONS =
      Set.of(
          "private",
          "rprivate",
          "shared",
          "rshared",
          "slave",
          "rslave",
          "unbindable",
          "runbindable");
  private static final Set<String> DEVICE_TYPES = Set.of("c", "b", "u", "p");

  /// A path that can only be a directory.
  private static final Pattern NO_FILE = Pattern.compile("/+|.*/\\.\\.?/*", Pattern.DOTALL);

  /// The kernel's MINORBITS are 20, which leaves 12 of 32; mknod(2) passes others over.
  private static final int MAX_MAJOR = 0xfff;

  private static final int MAX_MINOR = 0xf_ffff;

  private static final Pattern CLOS_ID = Pattern.compile("[^/\\n]+");

  private final List<Problem> problems;
  private final Config config;
  private final Linux linux;

  LinuxRules(List<Problem> problems, Config config) {
    this.problems = problems;
    this.config = config;
    this.linux = config.linux();
  }

  void check() {
    namespaces();
    idMappings();
    timeOffsets();
    devices();
    netDevices();
    if (linux.rootfsPropagation() != null) {
      ConfigValidator.oneOf(
          problems, "/linux/rootfsPropagation", linux.rootfsPropagation(), PROPAGATIONS);
    }
    ConfigValidator.noNul(problems, "/linux/cgroupsPath", linux.cgroupsPath());
    linux.sysctl().forEach(this::sysctl);
    absolutePaths("/linux/maskedPaths", linux.maskedPaths());
    absolutePaths("/linux/readonlyPaths", linux.readonlyPaths());
    if (!linux.maskedPaths().isEmpty() && !has(NamespaceType.MOUNT)) {
      problem("/linux/maskedPaths", "needs a mount namespace");
    }
    if (!linux.readonlyPaths().isEmpty() && !has(NamespaceType.MOUNT)) {
      problem("/linux/readonlyPaths", "needs a mount namespace");
    }
    if (linux.personality() != null) {
      ConfigValidator.oneOf(
          problems,
          "/linux/personality/domain",
          linux.personality().domain(),
          Set.of("LINUX", "LINUX32"));
      if (!linux.personality().flags().isEmpty()) {
        problem("/linux/personality/flags", "no flags are supported");
      }
    }
    intelRdt();
    if (linux.memoryPolicy() != null) MemoryPolicyRules.check(problems, linux.memoryPolicy());
  }

  private void namespaces() {
    List<Namespace> namespaces = linux.namespaces();
    ConfigValidator.unique(
        problems, "/linux/namespaces", namespaces, namespace -> namespace.type().text(), "type");
    for (int i = 0; i < namespaces.size(); i++) {
      String path = namespaces.get(i).path();
      if (path != null) {
        ConfigValidator.absolute(problems, "/linux/namespaces/" + i + "/path", path);
      }
    }
  }

  private void idMappings() {
    Namespace user = linux.namespace(NamespaceType.USER);
    if (user == null) {
      if (!linux.uidMappings().isEmpty()) {
        problem("/linux/uidMappings", "needs a user namespace");
      }
      if (!linux.gidMappings().isEmpty()) {
        problem("/linux/gidMappings", "needs a user namespace");
      }
    } else if (user.path() == null) {
      if (linux.uidMappings().isEmpty()) {
        problem("/linux/uidMappings", "is required for a new user namespace");
      }
      if (linux.gidMappings().isEmpty()) {
        problem("/linux/gidMappings", "is required for a new user namespace");
      }
    }
    idMappings("/linux/uidMappings", linux.uidMappings());
    idMappings("/linux/gidMappings", linux.gidMappings());
    if (user != null && user.path() == null) {
      // what makes the container is its root, as with runc
      mapped("/linux/uidMappings", linux.uidMappings(), 0);
      mapped("/linux/gidMappings", linux.gidMappings(), 0);
      if (config.process() != null) {
        mapped("/process/user/uid", linux.uidMappings(), config.process().user().uid());
        mapped("/process/user/gid", linux.gidMappings(), config.process().user().gid());
      }
    }
    for (int i = 0; i < config.mounts().size(); i++) {
      idMappings("/mounts/" + i + "/uidMappings", config.mounts().get(i).uidMappings());
      idMappings("/mounts/" + i + "/gidMappings", config.mounts().get(i).gidMappings());
    }
  }

  private void mapped(String pointer, List<IdMapping> mappings, long id) {
    if (mappings.isEmpty()
        || mappings.stream()
            .anyMatch(m -> id - m.containerId() >= 0 && id - m.containerId() < m.size())) return;
    problem(pointer, id + " is not mapped in the user namespace");
  }

  private void idMappings(String pointer, List<IdMapping> mappings) {
    for (int i = 0; i < mappings.size(); i++) {
      IdMapping mapping = mappings.get(i);
      String at = JsonReader.pointer(pointer, i);
      if (mapping.size() == 0) {
        problem(at + "/size", "must be greater than 0");
      } else if (Math.max(mapping.containerId(), mapping.hostId()) + mapping.size()
          > 0xffff_ffffL) {
        problem(at, "the range exceeds the ids of 32 bits");
      }
    }
  }

  private void timeOffsets() {
    if (linux.timeOffsets().isEmpty()) {
      return;
    }
    Namespace time = linux.namespace(NamespaceType.TIME);
    if (time == null) {
      problem("/linux/timeOffsets", "needs a time namespace");
    } else if (time.path() != null) {
      problem("/linux/timeOffsets", "cannot be set in a time namespace that is joined");
    }
    for (Map.Entry<String, TimeOffset> offset : linux.timeOffsets().entrySet()) {
      String pointer = JsonReader.pointer("/linux/timeOffsets", offset.getKey());
      if (!offset.getKey().equals("monotonic") && !offset.getKey().equals("boottime")) {
        problem(pointer, "unknown clock, must be monotonic or boottime");
      }
      if (offset.getValue().nanosecs() > 999_999_999) {
        problem(pointer + "/nanosecs", "must be less than 1000000000");
      }
    }
  }

  private void devices() {
    for (int i = 0; i < linux.devices().size(); i++) {
      Device device = linux.devices().get(i);
      String pointer = JsonReader.pointer("/linux/devices", i);
      ConfigValidator.oneOf(problems, pointer + "/type", device.type(), DEVICE_TYPES);
      if (device.path().isEmpty()) {
        problem(pointer + "/path", "must not be empty");
      } else {
        ConfigValidator.absolute(problems, pointer + "/path", device.path());
        if (NO_FILE.matcher(device.path()).matches()) {
          problem(pointer + "/path", "\"" + device.path() + "\" can be no device");
        }
      }
      // The file type in st_mode may come along, as in runc, but no more than 16 bits.
      if (device.fileMode() != null && device.fileMode() > 0xffff) {
        problem(pointer + "/fileMode", "must be at most 65535");
      }
      if (!device.type().equals("p")) {
        atMost(MAX_MAJOR, pointer + "/major", device.major());
        atMost(MAX_MINOR, pointer + "/minor", device.minor());
      }
    }
  }

  private void atMost(int most, String pointer, long number) {
    if (number < 0 || number > most) {
      problem(pointer, "must be from 0 to " + most);
    }
  }

  private void netDevices() {
    if (linux.netDevices().isEmpty()) {
      return;
    }
    if (!has(NamespaceType.NETWORK)) {
      problem("/linux/netDevices", "needs a network namespace");
    }
    linux
        .netDevices()
        .forEach((hostName, device) -> {
          String pointer = JsonReader.pointer("/linux/netDevices", hostName);
          deviceName(pointer, hostName);
          if (device.name() != null) {
            deviceName(pointer + "/name", device.name());
          }
        });
  }

  /// The kernel's dev_valid_name: IFNAMSIZ is 16 with its NUL.
  private void deviceName(String pointer, String name) {
    boolean refused =
        name.isEmpty()
            || name.length() > 15
            || name.equals(".")
            || name.equals("..")
            || name.chars()
                .anyMatch(c -> c == '/' || c == ':' || c == 0 || Character.isWhitespace(c));
    if (refused) {
      problem(pointer, "\"" + name + "\" is not a name of a network device");
    }
  }

  private void sysctl(String text, String value) {
    String pointer = JsonReader.pointer("/linux/sysctl", text);
    ConfigValidator.noNul(problems, pointer, value);
    SysctlName name = new SysctlName(text);
    NamespaceType type = name.namespace().orElse(null);
    if (!name.isPlain()) {
      problem(pointer, "\"" + text + "\" is not a name of a sysctl");
    } else if (name.key().equals("kernel.hostname")) {
      problem(
          pointer,
          "sysctl \"kernel.hostname\" is not allowed as it conflicts with the OCI \"hostname\" field");
    } else if (type == null) {
      problem(pointer, "sysctl \"" + name.key() + "\" is not in a separate kernel namespace");
    } else if (!has(type)) {
      problem(pointer, name.refused(type));
    }
  }

  private void absolutePaths(String pointer, List<String> paths) {
    IntStream.range(0, paths.size())
        .forEach(
            i -> ConfigValidator.absolute(problems, JsonReader.pointer(pointer, i), paths.get(i)));
  }

  private void intelRdt() {
    IntelRdt rdt = linux.intelRdt();
    if (rdt == null) {
      return;
    }
    String closId = rdt.closId();
    if (closId != null
        && !closId.equals("/")
        && (!CLOS_ID.matcher(closId).matches() || closId.equals(".") || closId.equals(".."))) {
      problem("/linux/intelRdt/closID", "must be the name of a directory");
    }
    if (rdt.memBwSchema() != null
        && (!rdt.memBwSchema().startsWith("MB:") || rdt.memBwSchema().contains("\n"))) {
      problem("/linux/intelRdt/memBwSchema", "must be one line that begins with \"MB:\"");
    }
    for (int i = 0; i < rdt.schemata().size(); i++) {
      if (rdt.schemata().get(i).contains("\n")) {
        problem(JsonReader.pointer("/linux/intelRdt/schemata", i), "must be one line");
      }
    }
  }

  private boolean has(NamespaceType type) {
    return linux.namespace(type) != null;
  }

  private void problem(String pointer, String message) {
    problems.add(new Problem(pointer, message));
  }
}
