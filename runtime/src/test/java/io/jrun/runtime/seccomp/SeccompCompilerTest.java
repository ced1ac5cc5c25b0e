package io.jrun.runtime.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.kernel.call.Number;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Seccomp;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SeccompCompilerTest {
  private static final int X86_64 = 0xc000_003e;
  private static final int I386 = 0x4000_0003;
  private static final int AARCH64 = 0xc000_00b7;
  private static final int X32_BIT = 0x4000_0000;

  private static final int EPERM = Action.ERRNO | 1;
  private static final int ENOSYS = Action.ERRNO | 38;

  private static final int READ = 0;
  private static final int WRITE = 1;
  private static final int MMAP = 9;
  private static final int PERSONALITY = 135;
  private static final int OPENAT2 = 437;

  private final SeccompCompiler compiler = new SeccompCompiler();

  @BeforeEach
  void needsLibseccompOnX86() {
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "the numbers are x86_64's");
    try {
      Libseccomp.load();
    } catch (SeccompException e) {
      assumeTrue(false, "libseccomp2 is not installed");
    }
  }

  private static Seccomp profile(
      String action, @Nullable Long errno, List<String> archs, Seccomp.Syscall... rules) {
    return new Seccomp(
        action, errno, archs, List.of(), null, null, List.of(rules), JsonObject.EMPTY);
  }

  private static Seccomp.Syscall rule(
      String action, @Nullable Long errno, List<Seccomp.Arg> args, String... names) {
    return new Seccomp.Syscall(List.of(names), action, errno, args, JsonObject.EMPTY);
  }

  private static Seccomp.Syscall allow(String... names) {
    return rule("SCMP_ACT_ALLOW", null, List.of(), names);
  }

  private static Seccomp.Arg arg(int index, String op, long value, long valueTwo) {
    return new Seccomp.Arg(index, value, valueTwo, op, JsonObject.EMPTY);
  }

  private ClassicBpf compile(Seccomp profile) {
    return new ClassicBpf(compiler.compile(profile));
  }

  @Test
  void listedCallsPassAndOthersFail() {
    ClassicBpf bpf =
        compile(
            profile("SCMP_ACT_ERRNO", null, List.of(), allow("read", "openat2"), allow("mmap")));
    assertThat(bpf.run(X86_64, READ)).isEqualTo(Action.ALLOW);
    assertThat(bpf.run(X86_64, MMAP)).isEqualTo(Action.ALLOW);
    assertThat(bpf.run(X86_64, OPENAT2)).isEqualTo(Action.ALLOW);
    assertThat(bpf.run(X86_64, WRITE)).isEqualTo(EPERM);
  }

  @Test
  void callsNewerThanTheProfileGetEnosys() {
    ClassicBpf bpf = compile(profile("SCMP_ACT_ERRNO", 13L, List.of(), allow("read", "openat2")));
    assertThat(bpf.run(X86_64, OPENAT2 - 1)).isEqualTo(Action.ERRNO | 13);
    assertThat(bpf.run(X86_64, OPENAT2 + 1)).isEqualTo(ENOSYS);
    assertThat(bpf.run(X86_64, Integer.MAX_VALUE)).isEqualTo(Action.KILL_THREAD);
  }

  @Test
  void otherArchitecturesAreKilledUnlessListed() {
    ClassicBpf one = compile(profile("SCMP_ACT_ERRNO", null, List.of(), allow("read", "openat2")));
    assertThat(one.run(I386, 3)).isEqualTo(Action.KILL_THREAD);
    assertThat(one.run(X86_64, X32_BIT | READ)).isEqualTo(Action.KILL_THREAD);

    List<String> all =
        List.of("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64");
    ClassicBpf four =
        compile(profile("SCMP_ACT_ERRNO", null, all, allow("read", "openat2", "waitpid")));
    assertThat(four.run(X86_64, READ)).isEqualTo(Action.ALLOW);
    assertThat(four.run(X86_64, WRITE)).isEqualTo(EPERM);
    assertThat(four.run(X86_64, OPENAT2 + 1)).isEqualTo(ENOSYS);
    assertThat(four.run(X86_64, X32_BIT | READ)).isEqualTo(Action.ALLOW);
    assertThat(four.run(X86_64, X32_BIT | WRITE)).isEqualTo(EPERM);
    assertThat(four.run(X86_64, X32_BIT | (OPENAT2 + 1))).isEqualTo(ENOSYS);
    assertThat(four.run(I386, 3)).isEqualTo(Action.ALLOW);
    assertThat(four.run(I386, 7)).isEqualTo(Action.ALLOW);
    assertThat(four.run(I386, 4)).isEqualTo(EPERM);
    assertThat(four.run(I386, OPENAT2 + 1)).isEqualTo(ENOSYS);
    assertThat(four.run(AARCH64, 63)).isEqualTo(Action.ALLOW);
    assertThat(four.run(AARCH64, 64)).isEqualTo(EPERM);
    assertThat(four.run(AARCH64, OPENAT2 + 1)).isEqualTo(ENOSYS);
    assertThat(four.run(0x1234, READ)).isEqualTo(Action.KILL_THREAD);
  }

  @Test
  void permissiveProfileLetsNewCallsPass() {
    ClassicBpf bpf =
        compile(
            profile(
                "SCMP_ACT_ALLOW",
                null,
                List.of(),
                rule("SCMP_ACT_ERRNO", null, List.of(), "write")));
    assertThat(bpf.run(X86_64, WRITE)).isEqualTo(EPERM);
    assertThat(bpf.run(X86_64, 5000)).isEqualTo(Action.ALLOW);
  }

  @ParameterizedTest
  @CsvSource({
    "SCMP_ACT_KILL,,0",
    "SCMP_ACT_KILL_THREAD,,0",
    "SCMP_ACT_KILL_PROCESS,,-2147483648",
    "SCMP_ACT_TRAP,,196608",
    "SCMP_ACT_ERRNO,,327681",
    "SCMP_ACT_ERRNO,0,327680",
    "SCMP_ACT_ERRNO,38,327718",
    "SCMP_ACT_TRACE,7,2146435079",
    "SCMP_ACT_LOG,,2147221504",
  })
  void actionIsWhatTheFilterReturns(String action, @Nullable Long errno, int expected) {
    ClassicBpf bpf =
        compile(
            profile("SCMP_ACT_ALLOW", null, List.of(), rule(action, errno, List.of(), "write")));
    assertThat(bpf.run(X86_64, WRITE)).isEqualTo(expected);
    ClassicBpf byDefault = compile(profile(action, errno, List.of(), allow("read", "openat2")));
    assertThat(byDefault.run(X86_64, WRITE)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "SCMP_CMP_EQ,8,0,8,9",
    "SCMP_CMP_NE,8,0,9,8",
    "SCMP_CMP_LT,8,0,7,8",
    "SCMP_CMP_LE,8,0,8,9",
    "SCMP_CMP_GE,8,0,8,7",
    "SCMP_CMP_GT,8,0,9,8",
    "SCMP_CMP_GT,4294967296,0,4294967297,4294967295",
    "SCMP_CMP_EQ,-1,0,-1,4294967295",
    "SCMP_CMP_MASKED_EQ,2114060288,0,17,268435456",
    "SCMP_CMP_MASKED_EQ,240,16,31,47",
  })
  void operatorComparesAnArgument(String op, long value, long valueTwo, long match, long other) {
    ClassicBpf bpf =
        compile(
            profile(
                "SCMP_ACT_ERRNO",
                null,
                List.of(),
                rule("SCMP_ACT_ALLOW", null, List.of(arg(2, op, value, valueTwo)), "personality")));
    assertThat(bpf.run(X86_64, PERSONALITY, 0, 0, match)).isEqualTo(Action.ALLOW);
    assertThat(bpf.run(X86_64, PERSONALITY, 0, 0, other)).isEqualTo(EPERM);
  }

  @Test
  void comparisonsOfSeveralArgumentsMustAllHold() {
    ClassicBpf bpf =
        compile(
            profile(
                "SCMP_ACT_ERRNO",
                null,
                List.of(),
                rule(
                    "SCMP_ACT_ALLOW",
                    null,
                    List.of(arg(0, "SCMP_CMP_EQ", 1, 0), arg(1, "SCMP_CMP_EQ", 2, 0)),
                    "personality")));
    assertThat(bpf.run(X86_64, PERSONALITY, 1, 2)).isEqualTo(Action.ALLOW);
    assertThat(bpf.run(X86_64, PERSONALITY, 1, 3)).isEqualTo(EPERM);
  }

  @Test
  void comparisonsOfOneArgumentAreAlternatives() {
    ClassicBpf bpf =
        compile(
            profile(
                "SCMP_ACT_ERRNO",
                null,
                List.of(),
                rule(
                    "SCMP_ACT_ALLOW",
                    null,
                    List.of(arg(0, "SCMP_CMP_EQ", 1, 0), arg(0, "SCMP_CMP_EQ", 2, 0)),
                    "personality")));
    assertThat(bpf.run(X86_64, PERSONALITY, 1)).isEqualTo(Action.ALLOW);
    assertThat(bpf.run(X86_64, PERSONALITY, 2)).isEqualTo(Action.ALLOW);
    assertThat(bpf.run(X86_64, PERSONALITY, 3)).isEqualTo(EPERM);
  }

  @Test
  void unknownCallsAndRulesThatChangeNothingAreSkipped() {
    ClassicBpf bpf =
        compile(
            profile(
                "SCMP_ACT_ERRNO",
                null,
                List.of(),
                allow("no_such_call", "read"),
                rule("SCMP_ACT_ERRNO", 1L, List.of(), "openat2")));
    assertThat(bpf.run(X86_64, READ)).isEqualTo(Action.ALLOW);
    assertThat(bpf.run(X86_64, OPENAT2)).isEqualTo(EPERM);
  }

  @Test
  void whatCannotBeCompiledIsNamed() {
    assertRefused(
        "SCMP_ACT_NOTIFY needs a listenerPath",
        profile(
            "SCMP_ACT_ALLOW", null, List.of(), rule("SCMP_ACT_NOTIFY", null, List.of(), "read")));
    assertRefused("unknown action \"X\"", profile("X", null, List.of()));
    assertRefused("errnoRet 4096", profile("SCMP_ACT_ERRNO", 4096L, List.of()));
    assertRefused("architecture \"x86\"", profile("SCMP_ACT_ALLOW", null, List.of("x86")));
    assertRefused("\"SCMP_ARCH_NO\"", profile("SCMP_ACT_ALLOW", null, List.of("SCMP_ARCH_NO")));
    assertRefused(
        "operator \"X\"",
        profile(
            "SCMP_ACT_ALLOW",
            null,
            List.of(),
            rule("SCMP_ACT_LOG", null, List.of(arg(0, "X", 0, 0)), "read")));
    assertRefused(
        "argument 6",
        profile(
            "SCMP_ACT_ALLOW",
            null,
            List.of(),
            rule("SCMP_ACT_LOG", null, List.of(arg(6, "SCMP_CMP_EQ", 0, 0)), "read")));
  }

  private static Seccomp notifying(String call) {
    return new Seccomp(
        "SCMP_ACT_ALLOW",
        null,
        List.of(),
        List.of(),
        "/run/agent.sock",
        null,
        List.of(rule("SCMP_ACT_NOTIFY", null, List.of(), call)),
        JsonObject.EMPTY);
  }

  @Test
  void anAgentAnswersTheCallsItIsAsked() {
    ClassicBpf bpf = compile(notifying("mkdir"));
    assertThat(bpf.run(X86_64, 83)).isEqualTo(Action.USER_NOTIF);
    assertThat(bpf.run(X86_64, READ)).isEqualTo(Action.ALLOW);
    assertThat(Notify.hasListener(compiler.flags(notifying("mkdir")))).isTrue();
    assertThat(Notify.hasListener(compiler.flags(profile("SCMP_ACT_ALLOW", null, List.of()))))
        .isFalse();
  }

  @Test
  void callsThatComeBeforeTheAgentCannotBeItsOwn() {
    assertRefused("cannot be used for sendmsg", notifying("sendmsg"));
    assertRefused("cannot be used for capset", notifying("capset"));
  }

  private void assertRefused(String what, Seccomp profile) {
    assertThatThrownBy(() -> compiler.compile(profile))
        .isInstanceOf(SeccompException.class)
        .hasMessageContaining(what);
  }

  @Test
  void programsAreRememberedWithinABound() {
    Seccomp first = profile("SCMP_ACT_ERRNO", 1L, List.of(), allow("read"));
    byte[] program = compiler.compile(first);
    program[0] ^= 1;
    assertThat(compiler.compile(first)).isNotEqualTo(program);
    for (long errno = 1; errno < 100; errno++) {
      compiler.compile(profile("SCMP_ACT_ERRNO", errno, List.of(), allow("read")));
    }
    assertThat(compiler.remembered()).isEqualTo(64);
  }

  @Test
  void flagsAreThoseOfTheSystemCall() {
    assertThat(flags()).isEqualTo(FilterFlag.SPEC_ALLOW);
    assertThat(flags(JsonObject.EMPTY.with("flags", Json.ofStrings(List.of())))).isZero();
    assertThat(flags("SECCOMP_FILTER_FLAG_TSYNC")).isZero();
    assertThat(flags("SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW")).isEqualTo(6);
    assertThat(flags("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")).isEqualTo(32);
    assertThatThrownBy(() -> flags("X")).hasMessage("seccomp: unknown flag \"X\"");
  }

  private int flags(String... names) {
    return flags(JsonObject.EMPTY, names);
  }

  /// @param said what the text of the profile says in other words than the model has
  private int flags(JsonObject said, String... names) {
    return compiler.flags(
        new Seccomp(
            "SCMP_ACT_ALLOW", null, List.of(), List.of(names), null, null, List.of(), said));
  }

  @Test
  void aFilterSaysWhatItLetsThrough() {
    Filter list =
        new Filter(
            compiler.compile(
                profile(
                    "SCMP_ACT_ERRNO",
                    null,
                    List.of("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
                    allow("execve", "openat2"),
                    rule("SCMP_ACT_LOG", null, List.of(), "chdir"),
                    rule("SCMP_ACT_TRAP", null, List.of(), "capset"),
                    rule("SCMP_ACT_KILL_PROCESS", null, List.of(), "umask"))));
    assertThat(list.admits(Number.EXECVE)).isTrue();
    assertThat(list.admits(Number.CHDIR)).isTrue();
    for (Number call : List.of(Number.PRCTL, Number.CAPSET, Number.UMASK, Number.FCHMODAT2))
      assertThat(list.admits(call)).as("%s", call).isFalse();
    assertThat(list.ends(Number.PRCTL)).isFalse();
    assertThat(list.ends(Number.FCHMODAT2)).isFalse();
    assertThat(list.ends(Number.CAPSET)).isTrue();
    assertThat(list.ends(Number.UMASK)).isTrue();
  }

  @Test
  void aFilterThatComparesArgumentsMayLetACallThrough() {
    List<Seccomp.Arg> comparisons =
        List.of(arg(0, "SCMP_CMP_MASKED_EQ", 0xff, 3), arg(1, "SCMP_CMP_GT", 1L << 33, 0));
    Filter some =
        new Filter(
            compiler.compile(
                profile(
                    "SCMP_ACT_KILL",
                    null,
                    List.of(),
                    rule("SCMP_ACT_ALLOW", null, comparisons, "prctl"),
                    rule("SCMP_ACT_ERRNO", null, comparisons, "umask"))));
    assertThat(some.admits(Number.PRCTL)).isTrue();
    assertThat(some.ends(Number.PRCTL)).isFalse();
    assertThat(some.admits(Number.UMASK)).isFalse();
    assertThat(some.ends(Number.UMASK)).isFalse();
    assertThat(some.ends(Number.CAPSET)).isTrue();
  }
}
