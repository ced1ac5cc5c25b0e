package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `exec` into a running container.
class ExecIT extends EndToEnd {

  @BeforeEach
  void startContainer() throws IOException {
    config.writableRoot().namespaces("pid", "network", "ipc", "uts", "mount");
    startSleeper();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 255})
  void exitStatusIsTheProgram(int status) {
    execSh("exit " + status).exits(status);
  }

  @Test
  void deathBySignalIs128PlusItsNumber() {
    execSh("kill -TERM $$").exits(128 + 15);
  }

  @Test
  void stdioIsTheCallers() {
    Outcome outcome =
        command("exec", id, "sh", "-c", "cat; echo problem >&2").input("text").run().succeeds();
    assertThat(outcome.out()).isEqualTo("text");
    assertThat(outcome.err()).isEqualTo("problem\n");
  }

  @Test
  void joinsTheContainersNamespacesAndCgroup() throws IOException {
    String pid = state().get("pid").asString();
    for (String namespace : new String[] {"pid", "net", "ipc", "uts", "mnt"}) {
      assertThat(execSh("readlink /proc/self/ns/" + namespace).succeeds().text())
          .isEqualTo(Files.readSymbolicLink(Path.of("/proc", pid, "ns", namespace)).toString());
    }
    assertThat(execSh("cat /proc/self/cgroup").succeeds().out())
        .isEqualTo(Files.readString(Path.of("/proc", pid, "cgroup")));
  }

  @Test
  void theConfigsEnvironmentAndMore() {
    Outcome outcome = runtime("exec", "-e", "X=1", "-e", "Y=2 3", id, "env").succeeds();
    assertThat(outcome.lines()).contains("X=1", "Y=2 3", "TERM=xterm", "E2E_TAG=" + tag);
  }

  @Test
  void aVariableWithoutAValueIsRefused() {
    runtime("exec", "-e", "NOVALUE", id, "env").exits(255);
    runtime("exec", "-e", "EMPTY=", id, "env").succeeds();
  }

  @Test
  void anUnknownCapabilityIsWarnedOf() {
    Outcome outcome = runtime("exec", "--cap", "CAP_NONSENSE", id, "true").succeeds();
    assertThat(outcome.err().lines()).singleElement().asString().contains("CAP_NONSENSE");
  }

  @Test
  void aConsoleSocketNeedsATerminalAndDetach() {
    runtime("exec", "--console-socket", temp + "/socket", id, "true").exits(255);
    runtime("exec", "-t", "--console-socket", temp + "/socket", id, "true").exits(255);
  }

  @Test
  void cwd() {
    assertThat(runtime("exec", "--cwd", "/etc", id, "pwd").succeeds().text()).isEqualTo("/etc");
    assertThat(runtime("exec", id, "pwd").succeeds().text()).isEqualTo("/");
  }

  @Test
  void userAndGroup() {
    assertThat(runtime("exec", "-u", "1000:50", id, "sh", "-c", "id -u; id -g").succeeds().lines())
        .containsExactly("1000", "50");
    assertThat(runtime("exec", "--user", "1000", id, "id", "-u").succeeds().text())
        .isEqualTo("1000");
  }

  @ParameterizedTest
  @ValueSource(strings = {"alice", "1:2x", "x:1", "4294967296", "4294967295", "0:4294967295"})
  void aUserMustBeANumber(String user) {
    runtime("exec", "-u", user, id, "true").fails();
  }

  /// CVE-2026-30892: each is refused as it is read, not where something else happens to fail.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-1",
        "+1",
        "1:",
        ":1",
        "1:-1",
        "1:2:3",
        "0x1",
        "1 ",
        "alice",
        "4294967296",
        "4294967295",
        "1:4294967295"
      })
  @JrunOnly
  void aUserIsNothingButNumbersOf32Bits(String user) {
    assertThat(runtime("exec", "--user=" + user, id, "true").exits(255).err())
        .contains("invalid user \\\"" + user + "\\\"");
  }

  @Test
  void additionalGroups() {
    Outcome outcome =
        runtime("exec", "-g", "50", "-g", "60", id, "grep", "^Groups", "/proc/self/status");
    assertThat(outcome.succeeds().text().split("\\s+")).containsExactly("Groups:", "50", "60");
  }

  @Test
  void capabilitiesAreAdded() {
    Outcome outcome =
        runtime("exec", "--cap", "CAP_NET_RAW", id, "grep", "^Cap", "/proc/self/status").succeeds();
    assertThat(outcome.out())
        .contains("CapBnd:\t0000000020002420")
        .contains("CapEff:\t0000000020002420");
  }

  @Test
  void capabilitiesOfTheConfigOtherwise() {
    assertThat(runtime("exec", id, "grep", "^CapEff", "/proc/self/status").succeeds().text())
        .isEqualTo("CapEff:\t0000000020000420");
  }

  @Test
  void noNewPrivileges() {
    assertThat(
            runtime("exec", "--no-new-privs", id, "grep", "^NoNewPrivs", "/proc/self/status")
                .succeeds()
                .text())
        .endsWith("1");
  }

  @Test
  void processFileGivesAll() throws IOException {
    Path file = temp.resolve("process.json");
    Files.writeString(
        file,
        Config.json(
                "{terminal:false,user:{uid:1000,gid:1000},args:['sh','-c','id -u; echo $A; pwd; exit 4'],env:['PATH=/bin','A=b'],cwd:'/etc',noNewPrivileges:true}")
            .toString());
    assertThat(runtime("exec", "-p", file.toString(), id).exits(4).lines())
        .containsExactly("1000", "b", "/etc");
    runtime("exec", "--process", file.toString(), id).exits(4);
  }

  @Test
  void detachedReturnsAtOnceAndWritesThePid() throws IOException {
    Path pidFile = temp.resolve("pid");
    runtime("exec", "-d", "--pid-file", pidFile.toString(), id, "sleep", "999").succeeds();
    String pid = Files.readString(pidFile);
    assertThat(Files.readString(Path.of("/proc", pid, "cmdline"))).contains("999");
    runtime("kill", id, "KILL").succeeds();
    assertThat(eventually(() -> !Files.exists(Path.of("/proc", pid, "root")))).isTrue();
  }

  @Test
  void anUnknownProgramIsNamed() {
    Outcome outcome = runtime("exec", id, "no-such-program").fails();
    assertThat(outcome.err()).contains("executable file not found in $PATH");
    assertThat(outcome.status()).isIn(1, 127, 255);
  }

  @Test
  void manyInARow() {
    for (int i = 0; i < 20; i++) {
      assertThat(execSh("echo " + i).succeeds().text()).isEqualTo(String.valueOf(i));
    }
  }

  @Test
  void aStoppedContainerIsRefused() {
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    assertThat(runtime("exec", id, "true").fails().err()).contains("stopped");
  }

  @Test
  void noContainerIsRefused() {
    assertThat(runtime("exec", tag + "-none", "true").fails().err()).contains("does not exist");
  }

  @Test
  void noProgramIsRefused() {
    runtime("exec", id).fails();
  }

  @Test
  void aSubCgroupTakesTheProcess() throws IOException {
    assumeTrue(RUNTIME.knowsFlag("exec", "--cgroup"), "the runtime has no exec --cgroup");
    List<Path> made = cgroups();
    for (Path directory : made) {
      Path below = Files.createDirectory(directory.resolve("below"));
      for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
        // a new cpuset of cgroup v1 is empty, and takes no process then
        if (!CgroupHierarchies.isV2Alone() && Files.exists(below.resolve(file)))
          Files.writeString(below.resolve(file), Files.readString(directory.resolve(file)));
      }
    }
    String pids = CgroupHierarchies.isV2Alone() ? "^0::" : ":pids:";
    assertThat(
            runtime("exec", "--cgroup", "below", id, "grep", pids, "/proc/self/cgroup")
                .succeeds()
                .text())
        .endsWith("/below");
    Outcome ofPids = runtime("exec", "--cgroup", "pids:/below", id, "cat", "/proc/self/cgroup");
    if (CgroupHierarchies.isV2Alone()) ofPids.fails();
    else
      assertThat(ofPids.succeeds().lines())
          .filteredOn(line -> line.endsWith("/below"))
          .singleElement()
          .asString()
          .contains(":pids:");
    assertThat(runtime("exec", "--cgroup", "absent", id, "true").fails().err())
        .contains(" adding pid ", "absent", "no such file or directory");
    assertThat(runtime("exec", "--cgroup", "absent", "--user", "1000", id, "true").fails().err())
        .contains(" adding pid ", "absent", "no such file or directory");
    runtime("exec", "--cgroup", "nosuch:below", id, "true").fails();
  }

  @Test
  void capabilitiesAreAmbientWhereTheConfigHasInheritableOnes() throws IOException {
    killAndDelete();
    id = newId();
    config
        .set("/process/capabilities/inheritable", "['CAP_CHOWN','CAP_SYSLOG']")
        .set("/process/capabilities/permitted", "['CAP_CHOWN']")
        .set("/process/capabilities/bounding", "['CAP_CHOWN','CAP_SYSLOG']")
        .set("/process/capabilities/effective", "[]")
        .set("/process/capabilities/ambient", "['CAP_CHOWN']");
    createAndStart();
    assertThat(
            runtime("exec", "--cap", "CAP_SYSLOG", id, "grep", "^CapAmb", "/proc/self/status")
                .succeeds()
                .out())
        .isEqualTo("CapAmb:\t0000000400000001\n");
    assertThat(runtime("exec", "--cap", "CAP_KILL", id, "true").succeeds().err())
        .contains("can't raise ambient capability CAP_KILL: ");
  }

  @Test
  void rootEntersADirectoryThatOnlyTheProgramsUserMay() throws IOException {
    killAndDelete();
    id = newId();
    Path home = Files.createDirectory(bundle.path().resolve("rootfs/home-of-42"));
    Command.of("chown", "42", home.toString()).run().succeeds();
    Command.of("chmod", "700", home.toString()).run().succeeds();
    config.set("/process/cwd", "'/home-of-42'").set("/process/user/uid", "42");
    createAndStart();
    assertThat(runtime("exec", "--user", "0", id, "pwd").succeeds().text())
        .isEqualTo("/home-of-42");
  }
}
