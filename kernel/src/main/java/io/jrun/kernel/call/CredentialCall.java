package io.jrun.kernel.call;

import java.util.List;

/// Identity and privileges of the calling process.
public sealed interface CredentialCall<R> extends HelperCall<R> {
  int PR_SET_PDEATHSIG = 1;
  int PR_SET_DUMPABLE = 4;
  int PR_SET_KEEPCAPS = 8;
  int PR_CAPBSET_DROP = 24;
  int PR_SET_MM = 35;
  int PR_SET_CHILD_SUBREAPER = 36;
  int PR_SET_NO_NEW_PRIVS = 38;
  int PR_CAP_AMBIENT = 47;
  Flags PRCTL =
      Flags.values(
          PR_SET_PDEATHSIG,
          "PR_SET_PDEATHSIG",
          PR_SET_DUMPABLE,
          "PR_SET_DUMPABLE",
          PR_SET_KEEPCAPS,
          "PR_SET_KEEPCAPS",
          PR_CAPBSET_DROP,
          "PR_CAPBSET_DROP",
          PR_SET_MM,
          "PR_SET_MM",
          PR_SET_CHILD_SUBREAPER,
          "PR_SET_CHILD_SUBREAPER",
          PR_SET_NO_NEW_PRIVS,
          "PR_SET_NO_NEW_PRIVS",
          PR_CAP_AMBIENT,
          "PR_CAP_AMBIENT");
  int PR_CAP_AMBIENT_RAISE = 2;
  int PR_CAP_AMBIENT_CLEAR_ALL = 4;
  int PR_SET_MM_MAP = 14;

  /// A call that answers only that it succeeded.
  sealed interface Action extends CredentialCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// setresuid(2) of all three.
  record Setresuid(int uid) implements Action {
    @Override
    public Number number() {
      return Number.SETRESUID;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(uid).value(uid).value(uid);
    }
  }

  /// setresgid(2) of all three.
  record Setresgid(int gid) implements Action {
    @Override
    public Number number() {
      return Number.SETRESGID;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(gid).value(gid).value(gid);
    }
  }

  /// setgroups(2).
  record Setgroups(List<Integer> groups) implements Action {
    @Override
    public Number number() {
      return Number.SETGROUPS;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(groups.size()).struct(g -> g.u32s("gid", groups));
    }
  }

  /// capset(2), the sets as masks of capability bits.
  record Capset(long effective, long permitted, long inheritable) implements Action {
    @Override
    public Number number() {
      return Number.CAPSET;
    }

    @Override
    public void arguments(Arguments to) {
      to.struct(h -> h.u32("version", 0x20080522).u32("pid", 0))
          .struct(d ->
              d.u32("effective", effective & 0xffffffffL)
                  .u32("permitted", permitted & 0xffffffffL)
                  .u32("inheritable", inheritable & 0xffffffffL)
                  .u32("effective", effective >>> 32)
                  .u32("permitted", permitted >>> 32)
                  .u32("inheritable", inheritable >>> 32));
    }
  }

  /// prctl(2).
  record Prctl(int option, long second, long third, long fourth, long fifth)
      implements CredentialCall<Integer> {
    @Override
    public Number number() {
      return Number.PRCTL;
    }

    @Override
    public void arguments(Arguments to) {
      to.flags(PRCTL, option).value(second).value(third).value(fourth).value(fifth);
    }

    @Override
    public Integer result(long value, Output output) {
      return (int) value;
    }
  }

  /// prctl(2) PR_SET_MM_MAP: /proc/self/exe becomes this file, which must be mapped over the whole
  /// text.
  record ReplaceExe(Descriptor exe, long textStart, long textEnd, long dataStart)
      implements Action {
    @Override
    public Number number() {
      return Number.PRCTL;
    }

    @Override
    public void arguments(Arguments to) {
      to.flags(PRCTL, PR_SET_MM)
          .value(PR_SET_MM_MAP)
          .struct(m -> {
            m.u64("start_code", textStart)
                .u64("end_code", textEnd)
                .u64("start_data", dataStart)
                .u64("end_data", dataStart);
            m.u64("start_brk", dataStart + 0x100000)
                .u64("brk", dataStart + 0x100000)
                .u64("start_stack", dataStart);
            m.u64("arg_start", dataStart)
                .u64("arg_end", dataStart)
                .u64("env_start", dataStart)
                .u64("env_end", dataStart);
            m.u64("auxv", 0).u32("auxv_size", 0).descriptor32("exe_fd", exe);
          })
          .value(104)
          .value(0);
    }
  }

  /// setpgid(2) of the caller: it leads a process group of its own.
  record Setpgid() implements Action {
    @Override
    public Number number() {
      return Number.SETPGID;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0).value(0);
    }
  }

  /// setsid(2).
  record Setsid() implements Action {
    @Override
    public Number number() {
      return Number.SETSID;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0);
    }
  }

  /// umask(2): the mask before.
  record Umask(int mask) implements CredentialCall<Integer> {
    @Override
    public Number number() {
      return Number.UMASK;
    }

    @Override
    public void arguments(Arguments to) {
      to.octal(mask);
    }

    @Override
    public Integer result(long value, Output output) {
      return (int) value;
    }
  }
}
