package io.jrun.specs.runtime;

import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.Problem;
import java.util.List;

/// What a [MemoryPolicy] must mean, in runc's words. The specification leaves to the kernel which
/// nodes go with a mode; that they are refused early tells which they are.
final class MemoryPolicyRules {
  private static final String AT = "/linux/memoryPolicy";

  private MemoryPolicyRules() {}

  static void check(List<Problem> problems, MemoryPolicy policy) {
    int before = problems.size();
    if (!MemoryPolicy.MODES.contains(policy.mode()))
      problems.add(
          new Problem(AT + "/mode", "invalid memory policy mode \"" + policy.mode() + "\""));
    for (int i = 0; i < policy.flags().size(); i++) {
      String flag = policy.flags().get(i);
      if (!MemoryPolicy.FLAGS.contains(flag))
        problems.add(
            new Problem(
                JsonReader.pointer(AT + "/flags", i),
                "invalid memory policy flag \"" + flag + "\""));
    }
    int count;
    try {
      count = IdSet.of(policy.nodes() == null ? "" : policy.nodes()).cardinality();
    } catch (IllegalArgumentException e) {
      problems.add(new Problem(AT + "/nodes", "invalid memory policy nodes: " + e.getMessage()));
      return;
    }
    if (problems.size() == before) count(problems, policy.mode(), count);
  }

  private static void count(List<Problem> problems, String mode, int count) {
    String wrong =
        switch (mode) {
          case "MPOL_DEFAULT", "MPOL_LOCAL" -> count == 0 ? "" : "0 nodes but got " + count;
          case "MPOL_PREFERRED" -> "";
          default -> count == 0 ? "at least one node but got 0" : "";
        };
    if (!wrong.isEmpty())
      problems.add(new Problem(AT + "/nodes", "memory policy mode requires " + wrong));
  }
}
