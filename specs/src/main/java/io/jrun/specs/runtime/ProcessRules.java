package io.jrun.specs.runtime;

import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a [Process] must mean: config.md, "Process".
final class ProcessRules {
  private static final long NO_ID = 0xffff_ffffL;

  private static final Set<String> RLIMITS = Set.copyOf(Rlimit.TYPES);
  private static final Set<String> POLICIES = Set.copyOf(Scheduler.POLICIES);
  private static final Set<String> SCHEDULER_FLAGS = Set.copyOf(Scheduler.FLAGS);
  private static final Set<String> IO_CLASSES =
      Set.of("IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE");

  private final List<Problem> problems;
  private final String pointer;

  ProcessRules(List<Problem> problems, String pointer) {
    this.problems = problems;
    this.pointer = pointer;
  }

  void check(Process process) {
    if (process.args().isEmpty()) {
      problem("/args", "must not be empty");
    }
    ConfigValidator.noNul(problems, pointer + "/args", process.args());
    ConfigValidator.noNul(problems, pointer + "/env", process.env());
    for (int i = 0; i < process.env().size(); i++) {
      if (process.env().get(i).indexOf('=') < 1) problem("/env/" + i, "must be NAME=value");
    }
    if (process.cwd().isEmpty()) {
      problem("/cwd", "must not be empty");
    } else {
      ConfigValidator.absolute(problems, pointer + "/cwd", process.cwd());
    }
    user(process.user());
    rlimits(process.rlimits());
    if (process.oomScoreAdj() != null
        && (process.oomScoreAdj() < -1000 || process.oomScoreAdj() > 1000)) {
      problem("/oomScoreAdj", "must be from -1000 to 1000");
    }
    if (process.scheduler() != null) {
      scheduler(process.scheduler());
    }
    if (process.ioPriority() != null) {
      ConfigValidator.oneOf(
          problems, pointer + "/ioPriority/class", process.ioPriority().ioClass(), IO_CLASSES);
      if (process.ioPriority().priority() < 0 || process.ioPriority().priority() > 7) {
        problem("/ioPriority/priority", "must be from 0 to 7");
      }
    }
    ExecCpuAffinity affinity = process.execCpuAffinity();
    if (affinity != null) {
      cpus("/execCPUAffinity/initial", affinity.initial());
      cpus("/execCPUAffinity/final", affinity.finalCpus());
    }
  }

  private void cpus(String member, @Nullable String list) {
    if (list == null) return;
    try {
      IdSet.of(list);
    } catch (IllegalArgumentException e) {
      problem(member, String.valueOf(e.getMessage()));
    }
  }

  private void rlimits(List<Rlimit> rlimits) {
    for (int i = 0; i < rlimits.size(); i++) {
      Rlimit rlimit = rlimits.get(i);
      String at = "/rlimits/" + i;
      ConfigValidator.oneOf(problems, pointer + at + "/type", rlimit.type(), RLIMITS);
      if (Long.compareUnsigned(rlimit.soft(), rlimit.hard()) > 0) {
        problem(at + "/soft", "must not be greater than hard");
      }
    }
    ConfigValidator.unique(problems, pointer + "/rlimits", rlimits, Rlimit::type, "type");
  }

  private void scheduler(Scheduler scheduler) {
    ConfigValidator.oneOf(problems, pointer + "/scheduler/policy", scheduler.policy(), POLICIES);
    ConfigValidator.eachOneOf(
        problems, pointer + "/scheduler/flags", scheduler.flags(), SCHEDULER_FLAGS);
    if (scheduler.nice() < -20 || scheduler.nice() > 19) {
      problem("/scheduler/nice", "must be from -20 to 19");
    }
    boolean realtime =
        scheduler.policy().equals("SCHED_FIFO") || scheduler.policy().equals("SCHED_RR");
    if (scheduler.priority() != 0 && !realtime) {
      problem("/scheduler/priority", "is for SCHED_FIFO and SCHED_RR only");
    }
    boolean hasDeadline =
        scheduler.runtimeNanos() != 0
            || scheduler.deadlineNanos() != 0
            || scheduler.periodNanos() != 0;
    if (hasDeadline && !scheduler.policy().equals("SCHED_DEADLINE")) {
      problem("/scheduler", "runtime, deadline and period are for SCHED_DEADLINE only");
    }
  }

  /// The highest id is what system calls take for "leave it alone".
  private void user(User user) {
    if (user.uid() == NO_ID) problem("/user/uid", "is not a valid id");
    if (user.gid() == NO_ID) problem("/user/gid", "is not a valid id");
    if (user.additionalGids().contains(NO_ID)) problem("/user/additionalGids", "has no valid id");
  }

  private void problem(String member, String message) {
    problems.add(new Problem(pointer + member, message));
  }

  static List<Problem> ignoredCapabilities(Capabilities capabilities, String pointer) {
    List<Problem> ignored = new ArrayList<>();
    unknown(ignored, pointer + "/bounding", capabilities.bounding());
    unknown(ignored, pointer + "/effective", capabilities.effective());
    unknown(ignored, pointer + "/inheritable", capabilities.inheritable());
    unknown(ignored, pointer + "/permitted", capabilities.permitted());
    unknown(ignored, pointer + "/ambient", capabilities.ambient());
    for (int i = 0; i < capabilities.ambient().size(); i++) {
      String name = capabilities.ambient().get(i);
      if (Capabilities.NAMES.contains(name)
          && !(capabilities.permitted().contains(name)
              && capabilities.inheritable().contains(name))) {
        ignored.add(
            new Problem(
                JsonReader.pointer(pointer + "/ambient", i),
                "can't raise ambient capability "
                    + name
                    + ": it is not both permitted and inheritable"));
      }
    }
    return ignored;
  }

  private static void unknown(List<Problem> unknown, String pointer, List<String> names) {
    for (int i = 0; i < names.size(); i++) {
      if (!Capabilities.NAMES.contains(names.get(i))) {
        unknown.add(
            new Problem(
                JsonReader.pointer(pointer, i),
                "unknown capability \"" + names.get(i) + "\", it is ignored"));
      }
    }
  }
}
