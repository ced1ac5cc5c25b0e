package io.jrun.specs.runtime;

import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.Problem;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a [Seccomp] must mean: config-linux.md, "Seccomp".
final class SeccompRules {
  private static final Set<String> ACTIONS =
      Set.of(
          "SCMP_ACT_KILL",
          "SCMP_ACT_KILL_PROCESS",
          "SCMP_ACT_KILL_THREAD",
          "SCMP_ACT_TRAP",
          "SCMP_ACT_ERRNO",
          "SCMP_ACT_TRACE",
          "SCMP_ACT_ALLOW",
          "SCMP_ACT_LOG",
          "SCMP_ACT_NOTIFY");
  private static final Set<String> OPERATORS =
      Set.of(
          "SCMP_CMP_NE",
          "SCMP_CMP_LT",
          "SCMP_CMP_LE",
          "SCMP_CMP_EQ",
          "SCMP_CMP_GE",
          "SCMP_CMP_GT",
          "SCMP_CMP_MASKED_EQ");
  private static final Set<String> FLAGS =
      Set.of(
          "SECCOMP_FILTER_FLAG_TSYNC",
          "SECCOMP_FILTER_FLAG_LOG",
          "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
          "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
  private static final Set<String> ARCHITECTURES =
      Set.of(
          "SCMP_ARCH_X86",
          "SCMP_ARCH_X86_64",
          "SCMP_ARCH_X32",
          "SCMP_ARCH_ARM",
          "SCMP_ARCH_AARCH64",
          "SCMP_ARCH_LOONGARCH64",
          "SCMP_ARCH_M68K",
          "SCMP_ARCH_MIPS",
          "SCMP_ARCH_MIPS64",
          "SCMP_ARCH_MIPS64N32",
          "SCMP_ARCH_MIPSEL",
          "SCMP_ARCH_MIPSEL64",
          "SCMP_ARCH_MIPSEL64N32",
          "SCMP_ARCH_PPC",
          "SCMP_ARCH_PPC64",
          "SCMP_ARCH_PPC64LE",
          "SCMP_ARCH_S390",
          "SCMP_ARCH_S390X",
          "SCMP_ARCH_SH",
          "SCMP_ARCH_SHEB",
          "SCMP_ARCH_PARISC",
          "SCMP_ARCH_PARISC64",
          "SCMP_ARCH_RISCV64");

  private final List<Problem> problems;
  private final String pointer;

  SeccompRules(List<Problem> problems, String pointer) {
    this.problems = problems;
    this.pointer = pointer;
  }

  void check(Seccomp seccomp) {
    ConfigValidator.oneOf(problems, pointer + "/defaultAction", seccomp.defaultAction(), ACTIONS);
    if (seccomp.defaultAction().equals("SCMP_ACT_NOTIFY")) {
      problem("/defaultAction", "SCMP_ACT_NOTIFY cannot be the default action");
    }
    errnoRet("/defaultErrnoRet", seccomp.defaultErrnoRet(), seccomp.defaultAction());
    ConfigValidator.eachOneOf(
        problems, pointer + "/architectures", seccomp.architectures(), ARCHITECTURES);
    ConfigValidator.eachOneOf(problems, pointer + "/flags", seccomp.flags(), FLAGS);
    if (seccomp.listenerPath() == null && seccomp.listenerMetadata() != null) {
      problem("/listenerMetadata", "needs a listenerPath");
    }
    for (int i = 0; i < seccomp.syscalls().size(); i++) {
      syscall("/syscalls/" + i, seccomp.syscalls().get(i));
    }
  }

  private void syscall(String at, Seccomp.Syscall syscall) {
    if (syscall.names().isEmpty()) {
      problem(at + "/names", "must not be empty");
    }
    for (int i = 0; i < syscall.names().size(); i++) {
      if (syscall.names().get(i).isEmpty()) {
        problem(at + "/names/" + i, "must not be empty");
      }
    }
    ConfigValidator.oneOf(problems, pointer + at + "/action", syscall.action(), ACTIONS);
    if (syscall.action().equals("SCMP_ACT_NOTIFY") && syscall.names().contains("write")) {
      // The init itself still writes after the filter is loaded, so nobody could answer.
      problem(at + "/action", "SCMP_ACT_NOTIFY cannot be used for the write syscall");
    }
    errnoRet(at + "/errnoRet", syscall.errnoRet(), syscall.action());
    for (int i = 0; i < syscall.args().size(); i++) {
      Seccomp.Arg arg = syscall.args().get(i);
      String argument = JsonReader.pointer(at + "/args", i);
      if (arg.index() > 5) {
        problem(argument + "/index", "must be from 0 to 5");
      }
      ConfigValidator.oneOf(problems, pointer + argument + "/op", arg.op(), OPERATORS);
    }
  }

  private void errnoRet(String at, @Nullable Long value, String action) {
    if (value == null) {
      return;
    }
    if (!action.equals("SCMP_ACT_ERRNO") && !action.equals("SCMP_ACT_TRACE")) {
      problem(at, "is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE only");
    } else if (value > 0xffff) {
      problem(at, "must be at most 65535 (SECCOMP_RET_DATA)");
    }
  }

  private void problem(String member, String message) {
    problems.add(new Problem(pointer + member, message));
  }
}
