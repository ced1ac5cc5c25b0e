package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `linux.seccomp`.
class SeccompIT extends EndToEnd {

  @BeforeEach
  void writable() {
    config.writableRoot();
  }

  private void rule(String defaultAction, String rule) {
    config.set(
        "/linux/seccomp",
        "{defaultAction:'%s',architectures:['SCMP_ARCH_X86_64','SCMP_ARCH_X86','SCMP_ARCH_X32'],syscalls:[%s]}"
            .formatted(defaultAction, rule));
  }

  @Test
  void aDeniedCallFailsWithEperm() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['mkdir','mkdirat'],action:'SCMP_ACT_ERRNO'}");
    assertThat(runSh("mkdir /x 2>&1; touch /y && echo fine").succeeds().lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("Operation not permitted"),
            line -> assertThat(line).isEqualTo("fine"));
  }

  @Test
  void errnoRetIsTheErrno() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['mkdir','mkdirat'],action:'SCMP_ACT_ERRNO',errnoRet:28}");
    assertThat(runSh("mkdir /x").exits(1).err()).contains("No space left on device");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"})
  void killEndsTheProcessWithSigsys(String action) throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['mkdir','mkdirat'],action:'%s'}".formatted(action));
    config.args("mkdir", "/x");
    run().exits(128 + 31);
  }

  @Test
  void aHookThatTheFilterEndsSaysSo() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['mkdir','mkdirat'],action:'SCMP_ACT_KILL'}");
    config
        .set("/process/rlimits", "[{type:'RLIMIT_CORE',soft:0,hard:0}]")
        .set(
            "/hooks/startContainer/-",
            "{path:'/bin/sh',args:['sh','-c','mkdir /dev/shm/x'],env:['PATH=/usr/bin:/bin']}");
    assertThat(run().fails().err()).contains("startContainer hook", "bad system call");
  }

  /// What keeps it from being ended is not the reason.
  @JrunOnly
  @Test
  void aHookThatTakesTooLongSaysSoThoughTheFilterRefusesToEndIt() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['kill'],action:'SCMP_ACT_ERRNO'}");
    config
        .set("/process/noNewPrivileges", "false")
        .set("/hooks/startContainer/-", "{path:'/bin/sleep',args:['sleep','1000'],timeout:1}");
    run().failsInOneLine("startContainer hook #0", "timed out after 1 s");
  }

  /// One that is loaded before the hooks, as without no_new_privs it takes privileges to load it.
  @Test
  void aFilterThatRefusesCloseRangeLetsHooksRun() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['close_range'],action:'SCMP_ACT_ERRNO'}");
    config
        .set("/process/noNewPrivileges", "false")
        .set("/hooks/startContainer/-", "{path:'/bin/true'}")
        .args("true");
    run().succeeds();
  }

  @ParameterizedTest
  @CsvSource({
    "['SECCOMP_FILTER_FLAG_LOG'], 2",
    "['SECCOMP_FILTER_FLAG_TSYNC'], 0",
    "[], 0",
    "null, 4"
  })
  void theFlagsAreInTheDebugLog(String flags, int value) throws IOException {
    RUNTIME.assumeRecent("flags of seccomp in the log");
    rule("SCMP_ACT_ALLOW", "{names:['swapon'],action:'SCMP_ACT_ERRNO'}");
    config.set("/linux/seccomp/flags", flags).args("true");
    bundle.write(config);
    assertThat(runtime("--debug", "run", "--bundle", bundle.path().toString(), id).succeeds().err())
        .contains("\"seccomp filter flags: " + value + "\"");
  }

  /// What the image brings is not run without the filter of the container's program.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void startContainerHooksAreUnderTheFilter(boolean noNewPrivileges) throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['mkdir','mkdirat'],action:'SCMP_ACT_ERRNO'}");
    config.set("/process/noNewPrivileges", String.valueOf(noNewPrivileges));
    config.set(
        "/hooks/startContainer/-",
        "{path:'/bin/sh',args:['sh','-c','mkdir /x'],env:['PATH=/usr/bin:/bin']}");
    config.args("true");
    assertThat(run().fails().err()).contains("startContainer hook", "Operation not permitted");
    if (!RUNTIME.isJrun()) return; // with runc start succeeds, and the container ends
    create();
    assertThat(runtime("start", id).fails().err())
        .contains("startContainer hook", "Operation not permitted");
    runtime("delete", "--force", id).succeeds();
  }

  @Test
  void argumentsAreCompared() throws IOException {
    // kill(pid, SIGUSR1) only
    rule(
        "SCMP_ACT_ALLOW",
        "{names:['kill'],action:'SCMP_ACT_ERRNO',args:[{index:1,value:10,op:'SCMP_CMP_EQ'}]}");
    assertThat(
            runSh("trap 'echo two' USR2; kill -USR1 $$ 2>&1; kill -USR2 $$; :").succeeds().lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("Operation not permitted"),
            line -> assertThat(line).isEqualTo("two"));
  }

  /// Of the signals TERM (15), USR1 (10) and ALRM (14), which may be sent.
  @ParameterizedTest
  @CsvSource({
    "EQ, 14, 0, TERM USR1",
    "NE, 14, 0, ALRM",
    "LT, 14, 0, TERM ALRM",
    "LE, 14, 0, TERM",
    "GT, 14, 0, USR1 ALRM",
    "GE, 14, 0, USR1",
    "MASKED_EQ, 3, 2, TERM" // 15 & 3 is not 2, 10 & 3 and 14 & 3 are
  })
  void everyOperatorCompares(String operator, int value, int valueTwo, String sent)
      throws IOException {
    rule(
        "SCMP_ACT_ALLOW",
        "{names:['kill'],action:'SCMP_ACT_ERRNO',args:[{index:1,value:%d,valueTwo:%d,op:'SCMP_CMP_%s'}]}"
            .formatted(value, valueTwo, operator));
    String script =
        "for s in TERM USR1 ALRM; do trap \"echo $s\" $s; done;"
            + " for s in TERM USR1 ALRM; do kill -$s $$ 2> /dev/null; done; :";
    assertThat(runSh(script).succeeds().lines()).containsExactly(sent.split(" "));
  }

  @Test
  void whatIsLoggedIsDone() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['mkdir','mkdirat'],action:'SCMP_ACT_LOG'}");
    assertThat(runSh("mkdir /x && ls -d /x").succeeds().text()).isEqualTo("/x");
  }

  /// As seccomp(2) says it of a call that no tracer decides.
  @Test
  void whatNobodyTracesIsNotImplemented() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['mkdir','mkdirat'],action:'SCMP_ACT_TRACE',errnoRet:7}");
    assertThat(runSh("mkdir /x").exits(1).err()).contains("Function not implemented");
  }

  @Test
  void theFilterIsInPlaceInStatus() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['mkdir'],action:'SCMP_ACT_ERRNO'}");
    assertThat(runSh("grep -E '^Seccomp:' /proc/self/status").succeeds().text())
        .isEqualTo("Seccomp:\t2");
  }

  @Test
  void itHoldsWithoutNoNewPrivileges() throws IOException {
    config.set("/process/noNewPrivileges", "false");
    rule("SCMP_ACT_ALLOW", "{names:['mkdir','mkdirat'],action:'SCMP_ACT_ERRNO'}");
    assertThat(runSh("mkdir /x").exits(1).err()).contains("Operation not permitted");
  }

  /// Older profiles know none of these: the runtime shall not need them under the filter.
  @Test
  void aFilterThatKnowsNoRecentCallsIsNoHindrance() throws IOException {
    RUNTIME.assumeRecent("filters");
    config.set("/process/noNewPrivileges", "false");
    rule(
        "SCMP_ACT_ALLOW",
        "{names:['close_range','openat2','open_tree','move_mount','mount_setattr','fsopen'],action:'SCMP_ACT_ERRNO',errnoRet:38}");
    assertThat(runSh("echo $HOME").succeeds().text()).isEqualTo("/root");
    startSleeper();
    assertThat(execSh("echo $HOME").succeeds().text()).isEqualTo("/root");
    killAndDelete();
  }

  /// As old profiles do: these came with Linux 4.11 and 5.8.
  @ParameterizedTest
  @ValueSource(strings = {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL"})
  void aFilterWithoutStatxAndFaccessat2LetsProgramsBeFound(String action) throws IOException {
    config.set("/process/noNewPrivileges", "false");
    rule(
        "SCMP_ACT_ALLOW",
        "{names:['statx','faccessat2','clone3','execveat'],action:'%s'}".formatted(action));
    config.args("true").set("/process/user/uid", "1000");
    run().succeeds();
    onBundle("run", "--detach").run().succeeds();
    runtime("delete", "--force", id).succeeds();
    id = newId();
    config.args("/bin/true");
    run().succeeds();
    config.args("/bin/none");
    assertThat(run().exits(1).err()).contains("stat /bin/none: no such file");
    config.args("none");
    assertThat(run().exits(1).err()).contains("executable file not found in $PATH");
    config.args("/etc/passwd");
    assertThat(run().exits(1).err()).contains("permission denied");
    config.args("/etc");
    assertThat(run().exits(1).err()).contains("is a directory");
    startSleeper();
    runtime("exec", id, "true").succeeds();
    killAndDelete();
  }

  /// Docker's profile answers clone3 so.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFilterWithoutClone3LetsHooksRun(boolean noNewPrivileges) throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['clone3'],action:'SCMP_ACT_ERRNO',errnoRet:38}");
    config
        .set("/process/noNewPrivileges", String.valueOf(noNewPrivileges))
        .set("/hooks/startContainer/-", "{path:'/bin/true'}");
    run().succeeds();
  }

  @Test
  void itHoldsForExec() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['mkdir','mkdirat'],action:'SCMP_ACT_ERRNO'}");
    startSleeper();
    assertThat(execSh("mkdir /x").exits(1).err()).contains("Operation not permitted");
  }

  @Test
  void unknownNamesAreIgnored() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['no_such_call','mkdir','mkdirat'],action:'SCMP_ACT_ERRNO'}");
    runSh("mkdir /x").exits(1);
  }

  @Test
  void anUnknownActionIsRefused() throws IOException {
    rule("SCMP_ACT_NONSENSE", "");
    run().fails();
  }

  /// What would end it without a word is told before anything is made: also with `exec`, of a
  /// container that has come to such a filter.
  @JrunOnly
  @ParameterizedTest
  @ValueSource(
      strings = {
        "SCMP_ACT_KILL",
        "SCMP_ACT_KILL_PROCESS",
        "SCMP_ACT_TRAP",
        "SCMP_ACT_TRACE",
        "SCMP_ACT_ERRNO"
      })
  void aFilterThatLetsNoProgramStartIsRefused(String action) throws IOException {
    for (String noNewPrivileges : List.of("true", "false")) {
      config.set("/process/noNewPrivileges", noNewPrivileges);
      rule(action, "");
      run().failsInOneLine("exec true: the seccomp filter refuses execve");
      onBundle("create").run().failsInOneLine("the seccomp filter refuses execve");
      run("--detach").failsInOneLine("the seccomp filter refuses execve");
      rule("SCMP_ACT_ALLOW", "{names:['execve'],action:'%s'}".formatted(action));
      run().failsInOneLine("exec true: the seccomp filter refuses execve");
    }
  }

  /// Whether it starts depends on where its path lies, which nobody knows before.
  @Test
  void aFilterThatLooksAtTheArgumentsOfExecveIsTaken() throws IOException {
    rule(
        "SCMP_ACT_ALLOW",
        "{names:['execve'],action:'SCMP_ACT_ERRNO',args:[{index:0,value:1,op:'SCMP_CMP_EQ'}]}");
    runSh("true").succeeds();
  }

  /// Without no_new_privs the filter comes before the program's identity, which nobody else gives
  /// it.
  @JrunOnly
  @ParameterizedTest
  @CsvSource({
    "setresuid, SCMP_ACT_KILL",
    "umask, SCMP_ACT_KILL_PROCESS",
    "capset, SCMP_ACT_TRAP",
    "sendmsg, SCMP_ACT_ERRNO",
    "recvmsg, SCMP_ACT_ERRNO"
  })
  void aFilterThatEndsInitBeforeItsProgramIsRefused(String call, String action) throws IOException {
    config.set("/process/noNewPrivileges", "false");
    rule("SCMP_ACT_ALLOW", "{names:['%s'],action:'%s'}".formatted(call, action));
    run().failsInOneLine("the seccomp filter refuses " + call, "noNewPrivileges");
    onBundle("create").run().failsInOneLine("the seccomp filter refuses " + call);
    config.set("/process/noNewPrivileges", "true");
    run().succeeds();
  }

  @JrunOnly
  @Test
  void aFilterUnderWhichInitCannotWaitIsRefused() throws IOException {
    config.set("/process/noNewPrivileges", "false");
    rule("SCMP_ACT_ALLOW", "{names:['accept4'],action:'SCMP_ACT_KILL'}");
    onBundle("create").run().failsInOneLine("the seccomp filter refuses accept4");
    run().succeeds();
  }

  /// With no_new_privs too the process of `exec` may be one that has none.
  @JrunOnly
  @Test
  void aFilterThatEndsTheProcessOfExecIsRefused() throws IOException {
    rule("SCMP_ACT_ALLOW", "{names:['setresuid'],action:'SCMP_ACT_KILL'}");
    startSleeper();
    execSh("true").succeeds();
    Path process = temp.resolve("process.json");
    Files.writeString(
        process,
        config
            .copy()
            .args("true")
            .set("/process/noNewPrivileges", "false")
            .at("/process")
            .toString());
    assertThat(runtime("exec", "--process", process.toString(), id).exits(255).err())
        .contains("exec failed", "the seccomp filter refuses setresuid");
    killAndDelete();
  }
}
