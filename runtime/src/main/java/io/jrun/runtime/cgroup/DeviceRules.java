package io.jrun.runtime.cgroup;

import io.jrun.specs.runtime.Resources.DeviceRule;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The device rules of a container in the form that both kinds of cgroup start from: first one that
/// decides everything, then those that change it, the last match of each access winning; what runc
/// always allows comes at the end.
final class DeviceRules {
  static final int MKNOD = 1;
  static final int READ = 2;
  static final int WRITE = 4;
  static final int ALL = MKNOD | READ | WRITE;
  static final long ANY = -1;

  /// One rule; type is `a`, `b` or `c`, and `a` stands for every device and access.
  record Rule(boolean allow, char type, long major, long minor, int access) {
    static final Rule DENY_ALL = new Rule(false, 'a', ANY, ANY, ALL);

    boolean everything() {
      return type == 'a';
    }

    boolean sameDevices(Rule other) {
      return type == other.type && major == other.major && minor == other.minor;
    }

    boolean overlaps(Rule other) {
      return type == other.type
          && (major == ANY || other.major == ANY || major == other.major)
          && (minor == ANY || other.minor == ANY || minor == other.minor)
          && (access & other.access) != 0;
    }

    /// As devices.allow and devices.deny take it.
    String line() {
      if (everything()) return "a";
      String letters =
          ((access & READ) != 0 ? "r" : "")
              + ((access & WRITE) != 0 ? "w" : "")
              + ((access & MKNOD) != 0 ? "m" : "");
      return type + " " + number(major) + ":" + number(minor) + " " + letters;
    }

    private static String number(long number) {
      return number == ANY ? "*" : Long.toString(number);
    }
  }

  /// Every device may be made, and these, which a container's /dev always has, used; 136 is devpts.
  private static final List<Rule> ALWAYS =
      List.of(
          new Rule(true, 'c', ANY, ANY, MKNOD),
          new Rule(true, 'b', ANY, ANY, MKNOD),
          new Rule(true, 'c', 1, 3, ALL),
          new Rule(true, 'c', 1, 5, ALL),
          new Rule(true, 'c', 1, 7, ALL),
          new Rule(true, 'c', 1, 8, ALL),
          new Rule(true, 'c', 1, 9, ALL),
          new Rule(true, 'c', 5, 0, ALL),
          new Rule(true, 'c', 5, 2, ALL),
          new Rule(true, 'c', 136, ANY, ALL));

  private DeviceRules() {}

  static List<Rule> of(List<DeviceRule> given) {
    List<Rule> rules = new ArrayList<>(List.of(Rule.DENY_ALL));
    for (DeviceRule rule : given) {
      for (Rule each : rules(rule)) append(rules, each);
    }
    for (Rule rule : ALWAYS) append(rules, rule);
    return List.copyOf(rules);
  }

  /// The lines of cgroup v1, whose kernel keeps one default and a list of exceptions: a rule
  /// against the exceptions removes only those of exactly its devices.
  static List<Write> writes(List<Rule> rules, String hierarchyKey) {
    boolean byDefault = rules.getFirst().allow();
    List<Write> writes = new ArrayList<>();
    for (int i = 0; i < rules.size(); i++) {
      Rule rule = rules.get(i);
      Rule partial = rule.allow() == byDefault ? partlyTakenBack(rules, i) : null;
      if (partial == null) {
        writes.add(
            new Write(hierarchyKey, rule.allow() ? "devices.allow" : "devices.deny", rule.line()));
      } else if (!ALWAYS.contains(rule)) {
        throw new CgroupException(
            "device rule "
                + text(rule)
                + " takes back a part of "
                + text(partial)
                + ", which cgroup v1 cannot");
      }
    }
    return writes;
  }

  private static @Nullable Rule partlyTakenBack(List<Rule> rules, int index) {
    Rule rule = rules.get(index);
    for (Rule earlier : rules.subList(0, index)) {
      if (earlier.allow() != rule.allow() && !earlier.sameDevices(rule) && earlier.overlaps(rule))
        return earlier;
    }
    return null;
  }

  private static String text(Rule rule) {
    return (rule.allow() ? "allow " : "deny ") + rule.line();
  }

  private static void append(List<Rule> rules, Rule rule) {
    if (rule.everything()) {
      rules.clear();
      rules.add(rule);
      return;
    }
    for (int i = rules.size() - 1; i >= 0; i--) {
      Rule earlier = rules.get(i);
      if (earlier.allow() != rule.allow()) {
        if (earlier.everything() || earlier.overlaps(rule)) break;
        continue;
      }
      boolean covered =
          earlier.everything()
              || (earlier.sameDevices(rule) && (earlier.access() & rule.access()) == rule.access());
      if (covered) return;
    }
    rules.add(rule);
  }

  /// A rule of the spec; one for all types that does not mean everything becomes one for each.
  private static List<Rule> rules(DeviceRule rule) {
    int access = access(rule);
    long major = number(rule.major());
    long minor = number(rule.minor());
    String type = rule.type() == null ? "a" : rule.type();
    return switch (type) {
      case "b", "c", "u" ->
          access == 0
              ? List.of()
              : List.of(new Rule(rule.allow(), type.equals("b") ? 'b' : 'c', major, minor, access));
      case "a" -> {
        if (access == 0) yield List.of();
        if (access == ALL && major == ANY && minor == ANY)
          yield List.of(new Rule(rule.allow(), 'a', ANY, ANY, ALL));
        yield List.of(
            new Rule(rule.allow(), 'b', major, minor, access),
            new Rule(rule.allow(), 'c', major, minor, access));
      }
      default -> throw new CgroupException("unknown type " + type + " of a device rule");
    };
  }

  private static int access(DeviceRule rule) {
    if (rule.access() == null) return ALL;
    int access = 0;
    for (char letter : rule.access().toCharArray()) {
      access |=
          switch (letter) {
            case 'r' -> READ;
            case 'w' -> WRITE;
            case 'm' -> MKNOD;
            default -> 0; // its warning came with the config
          };
    }
    return access;
  }

  private static long number(@Nullable Long number) {
    if (number == null || number == ANY) return ANY;
    if (number < 0 || number > Integer.MAX_VALUE)
      throw new CgroupException("device number " + number + " is out of range");
    return number;
  }
}
