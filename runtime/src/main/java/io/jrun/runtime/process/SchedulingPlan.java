package io.jrun.runtime.process;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SchedulingCall;
import io.jrun.specs.runtime.ExecCpuAffinity;
import io.jrun.specs.runtime.IdSet;
import io.jrun.specs.runtime.IoPriority;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.MemoryPolicy;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Resources;
import io.jrun.specs.runtime.Scheduler;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How the container's program is scheduled, where its memory lies and which execution domain it
/// has; asked for while the process still has its privileges.
public final class SchedulingPlan {
  private static final List<String> IO_CLASSES =
      List.of("IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE");
  private static final int MPOL_F_NUMA_BALANCING = 1 << 13;
  private static final int PER_LINUX32 = 8;

  /// As many as any kernel is built for (CONFIG_NR_CPUS).
  private static final int MOST_CPUS = 8192;

  private SchedulingPlan() {}

  public static void add(Batch batch, Process process, Linux linux) {
    if (linux.personality() != null) {
      batch.add(
          new ProcessCall.Personality(
              linux.personality().domain().equals("LINUX32") ? PER_LINUX32 : 0));
    }
    if (linux.memoryPolicy() != null) memory(batch, linux.memoryPolicy());
    if (process.scheduler() != null) scheduler(batch, process.scheduler(), linux);
    IoPriority io = process.ioPriority();
    if (io != null) {
      batch.add(
          new ProcessCall.IoprioSet(
              IO_CLASSES.indexOf(io.ioClass()) << SchedulingCall.CLASS_SHIFT | io.priority()));
    }
  }

  private static void scheduler(Batch batch, Scheduler s, Linux linux) {
    long flags = 0;
    for (String flag : s.flags()) flags |= 1L << Scheduler.FLAGS.indexOf(flag);
    SchedulingCall.SchedSetattr call =
        new SchedulingCall.SchedSetattr(
            Scheduler.POLICIES.indexOf(s.policy()),
            flags,
            s.nice(),
            s.priority(),
            s.runtimeNanos(),
            s.deadlineNanos(),
            s.periodNanos());
    // sched_setattr(2) says EPERM where SCHED_DEADLINE meets an affinity of not all CPUs
    boolean narrow = s.policy().equals("SCHED_DEADLINE") && limitsCpus(linux);
    batch.during(
        narrow
            ? "process scheduler can't be used together with AllowedCPUs"
            : "setting the process scheduler",
        () -> batch.add(call));
  }

  private static boolean limitsCpus(Linux linux) {
    Resources.Cpu cpu = linux.resources().cpu();
    return cpu != null && !isNone(cpu.cpus());
  }

  private static void memory(Batch batch, MemoryPolicy policy) {
    int mode = MemoryPolicy.MODES.indexOf(policy.mode());
    for (String flag : policy.flags())
      mode |= MPOL_F_NUMA_BALANCING << MemoryPolicy.FLAGS.indexOf(flag);
    batch.add(
        new SchedulingCall.SetMempolicy(mode, mask(policy.nodes() == null ? "" : policy.nodes())));
  }

  /// Lets the process run on every CPU that its cgroup has: the caller's affinity is the caller's
  /// own, as in runc. Whoever may not (a filter outside) keeps it.
  public static void resetAffinity(Batch batch) {
    byte[] all = new byte[MOST_CPUS / 8];
    Arrays.fill(all, (byte) 0xff);
    batch.add(new SchedulingCall.SchedSetaffinity(all), Errno.EPERM);
  }

  /// What an exec'd process has in its cgroup before its final affinity.
  public static void affinityInCgroup(Batch batch, @Nullable ExecCpuAffinity asked) {
    if (asked == null || (isNone(asked.initial()) && isNone(asked.finalCpus())))
      resetAffinity(batch);
  }

  private static boolean isNone(@Nullable String cpus) {
    return cpus == null || cpus.isBlank();
  }

  /// @param cpus a list; empty or null leaves the affinity
  public static void affinity(Batch batch, @Nullable String cpus) {
    if (cpus != null && !cpus.isBlank()) batch.add(new SchedulingCall.SchedSetaffinity(mask(cpus)));
  }

  /// The mask that the kernel takes: whole words of 64 bits; empty for an empty list.
  static byte[] mask(String list) {
    byte[] bytes = IdSet.of(list).toByteArray();
    return Arrays.copyOf(bytes, (bytes.length + 7) / 8 * 8);
  }
}
