package io.jrun.specs.runtime;

import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What [Resources] must mean: config-linux.md, "Control groups".
final class ResourceRules {
  private static final Pattern PAGE_SIZE = Pattern.compile("[1-9][0-9]*[KMG]B");
  private static final Pattern ACCESS = Pattern.compile(".*[rwm].*");
  private static final Pattern IGNORED_ACCESS = Pattern.compile("[rwm]*");

  private final List<Problem> problems;
  private final String pointer;

  ResourceRules(List<Problem> problems, String pointer) {
    this.problems = problems;
    this.pointer = pointer;
  }

  void check(Resources resources) {
    for (int i = 0; i < resources.devices().size(); i++) {
      deviceRule("/devices/" + i, resources.devices().get(i));
    }
    Resources.Memory memory = resources.memory();
    if (memory != null && memory.swappiness() != null) {
      if (Long.compareUnsigned(memory.swappiness(), 100) > 0) {
        problem("/memory/swappiness", "must be from 0 to 100");
      }
    }
    if (resources.cpu() != null
        && resources.cpu().idle() != null
        && (resources.cpu().idle() < 0 || resources.cpu().idle() > 1)) {
      problem("/cpu/idle", "must be 0 or 1");
    }
    Resources.BlockIo blockIo = resources.blockIo();
    if (blockIo != null) {
      weight("/blockIO/weight", blockIo.weight());
      weight("/blockIO/leafWeight", blockIo.leafWeight());
      for (int i = 0; i < blockIo.weightDevice().size(); i++) {
        String at = JsonReader.pointer("/blockIO/weightDevice", i);
        Resources.WeightDevice device = blockIo.weightDevice().get(i);
        weight(at + "/weight", device.weight());
        weight(at + "/leafWeight", device.leafWeight());
        if (device.weight() == null && device.leafWeight() == null)
          problem(at, "must have weight or leafWeight");
      }
    }
    for (int i = 0; i < resources.hugepageLimits().size(); i++) {
      if (!PAGE_SIZE.matcher(resources.hugepageLimits().get(i).pageSize()).matches()) {
        problem("/hugepageLimits/" + i + "/pageSize", "must be a size such as \"2MB\"");
      }
    }
    ConfigValidator.unique(
        problems,
        pointer + "/hugepageLimits",
        resources.hugepageLimits(),
        Resources.HugepageLimit::pageSize,
        "pageSize");
    resources
        .rdma()
        .forEach((device, limit) -> {
          if (limit.hcaHandles() == null && limit.hcaObjects() == null)
            problem(JsonReader.pointer("/rdma", device), "must have hcaHandles or hcaObjects");
        });
    for (String file : resources.unified().keySet()) {
      if (file.contains("/") || file.isEmpty() || file.equals("..")) {
        problem(JsonReader.pointer("/unified", file), "must be the name of a file");
      }
    }
  }

  /// Letters of accesses that mean nothing, and that runc and jrun pass over.
  static List<Problem> ignoredAccesses(List<Resources.DeviceRule> rules, String pointer) {
    List<Problem> ignored = new ArrayList<>();
    for (int i = 0; i < rules.size(); i++) {
      String access = rules.get(i).access();
      if (access == null || access.isEmpty()) continue;
      String rest = IGNORED_ACCESS.matcher(access).replaceAll("");
      if (!rest.isEmpty())
        ignored.add(
            new Problem(
                JsonReader.pointer(pointer, i) + "/access",
                "\"" + rest + "\" of \"" + access + "\" is ignored, only r, w and m are known"));
    }
    return ignored;
  }

  private void deviceRule(String at, Resources.DeviceRule rule) {
    if (rule.type() != null) {
      ConfigValidator.oneOf(problems, pointer + at + "/type", rule.type(), Set.of("a", "b", "c"));
    }
    // as runc; none could mean all accesses or no access
    if (rule.access() == null || rule.access().isEmpty()) {
      problem(at + "/access", "must not be empty");
    } else if (!ACCESS.matcher(rule.access()).matches()) {
      problem(at + "/access", "must consist of r, w and m");
    }
    // -1 means all, as a null does.
    if (rule.major() != null && rule.major() < -1) {
      problem(at + "/major", "must be at least -1");
    }
    if (rule.minor() != null && rule.minor() < -1) {
      problem(at + "/minor", "must be at least -1");
    }
  }

  /// 10 to 1000 is blkio's range; 0 means the kernel's default, as in runc.
  private void weight(String at, @Nullable Integer weight) {
    if (weight != null && weight != 0 && (weight < 10 || weight > 1000)) {
      problem(at, "must be from 10 to 1000");
    }
  }

  private void problem(String member, String message) {
    problems.add(new Problem(pointer + member, message));
  }
}
