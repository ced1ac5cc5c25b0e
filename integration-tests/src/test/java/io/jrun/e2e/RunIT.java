package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `run` in the foreground, and what its process is given.
class RunIT extends EndToEnd {

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 127, 255})
  void exitStatusIsTheProgram(int status) throws IOException {
    runSh("exit " + status).exits(status);
  }

  @Test
  void deathBySignalIs128PlusItsNumber() throws IOException {
    // init is immune to ordinary signals from inside, so the signal comes from here
    config.sh("echo ready; sleep 1000");
    Command.Running running = onBundle("run").start();
    assertThat(eventually(() -> output(running).contains("ready"))).isTrue();
    runtime("kill", id, "KILL").succeeds();
    running.finish().exits(128 + 9);
  }

  @Test
  void aSignalToTheRuntimeReachesTheProgram() throws IOException {
    config.sh("trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.05; done");
    Command.Running running = onBundle("run").start();
    assertThat(eventually(() -> output(running).contains("ready"))).isTrue();
    running.process().destroy();
    Outcome outcome = running.finish().exits(9);
    assertThat(outcome.lines()).containsExactly("ready", "got it");
  }

  @Test
  void stdinReachesTheProgramUntilItsEnd() throws IOException {
    config.args("cat");
    Outcome outcome = onBundle("run").input("one\ntwo\n").run().succeeds();
    assertThat(outcome.out()).isEqualTo("one\ntwo\n");
    assertThat(outcome.err()).isEmpty();
  }

  @Test
  void stdoutAndStderrArePipesOfTheirOwn() throws Exception {
    config.sh("cat; echo problem >&2");
    bundle.write(config);
    Process process =
        new ProcessBuilder(command("run", "-b", bundle.path().toString(), id).words()).start();
    // beside the reader: cat stops reading when nobody takes what it writes
    Thread writer =
        Thread.ofVirtual()
            .start(() -> {
              try (var stdin = process.getOutputStream()) {
                stdin.write("x".repeat(50_000).getBytes(StandardCharsets.UTF_8));
              } catch (IOException e) {
                process.destroy();
              }
            });
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(Command.TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
    writer.join();
    assertThat(process.exitValue()).isZero();
    assertThat(out).hasSize(50_000);
    assertThat(err).isEqualTo("problem\n");
  }

  @Test
  void environmentIsTheConfigsAlone() throws IOException {
    config
        .set("/process/env", "['PATH=/bin','A=1','B=two words','E2E_TAG=%s']".formatted(tag))
        .args("env");
    Outcome outcome = onBundle("run").with("LEAK", "host").run().succeeds();
    assertThat(outcome.lines())
        .contains("PATH=/bin", "A=1", "B=two words")
        .noneMatch(line -> line.startsWith("LEAK"));
  }

  @Test
  void homeComesFromPasswd() throws IOException {
    config.set("/process/user", "{uid:1000,gid:1000}");
    assertThat(runSh("echo $HOME").succeeds().text()).isEqualTo("/home");
  }

  @Test
  void anotherHomeIsKept() throws IOException {
    config.env("HOME=/mnt");
    assertThat(runSh("echo $HOME").succeeds().text()).isEqualTo("/mnt");
  }

  @Test
  void cwdIsEnteredAndMadeWhenMissing() throws IOException {
    config.writableRoot().setText("/process/cwd", "/var/made/here");
    assertThat(runSh("pwd").succeeds().text()).isEqualTo("/var/made/here");
  }

  /// Else the command is who reaps them, where they are in no pid namespace of the container.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void orphansAreNotTheCommandsWithNoSubreaper(boolean noSubreaper) throws IOException {
    config
        .writableRoot()
        .namespaces("mount")
        .remove("", "hostname")
        .sh("sh -c 'sleep 1000 & echo $! > /new; mv /new /pid'; sleep 1000");
    List<String> flags = noSubreaper ? List.of("--no-subreaper") : List.of();
    Command.Running running = onBundle("run", flags.toArray(String[]::new)).start();
    Path file = bundle.rootfs().resolve("pid");
    assertThat(eventually(() -> Files.exists(file))).isTrue();
    Path status = Path.of("/proc", Files.readString(file).strip(), "status");
    String parent = "(?s).*\\nPPid:\t" + running.process().pid() + "\\n.*";
    if (noSubreaper) assertThat(Files.readString(status)).doesNotMatch(parent);
    else assertThat(Files.readString(status)).matches(parent);
    runtime("delete", "--force", id).succeeds();
    running.finish();
  }

  /// What comes before a `..` is made too, as the kernel then goes through it.
  @ParameterizedTest
  @CsvSource({
    "/missing/a/../b, /missing/b, /missing/a",
    "/missing/.., /, /missing",
    "/missing/../../../c, /c, /missing",
    "/link/../c, /var/c, /var/dir",
    "//var/./dir//, /var/dir, /var/dir",
    "/../../var, /var, /var",
    "/link/new/, /var/dir/new, /var/dir/new"
  })
  void cwdIsMadeAndEnteredAsItIsWritten(String cwd, String entered, String made)
      throws IOException {
    Files.createDirectories(bundle.rootfs().resolve("var/dir"));
    Files.createSymbolicLink(bundle.rootfs().resolve("link"), Path.of("/var/dir"));
    config.setText("/process/cwd", cwd);
    assertThat(runSh("/bin/busybox pwd -P").succeeds().text()).isEqualTo(entered);
    assertThat(bundle.rootfs().resolve(made.substring(1))).isDirectory();
  }

  @ParameterizedTest
  @CsvSource({
    "/file, not a directory",
    "/file/x, not a directory",
    "/file/.., not a directory",
    "/to-file, not a directory",
    "/dev/null, not a directory",
    "/loop, too many levels of symbolic links",
    "/dangling, no such file or directory",
    "/out/new, no such file or directory",
    "/proc/new, no such file or directory"
  })
  void aCwdThatCannotBeIsNamed(String cwd, String reason) throws IOException {
    RUNTIME.assumeRecent("the reasons");
    Path rootfs = bundle.rootfs();
    Files.createFile(rootfs.resolve("file"));
    Files.createSymbolicLink(rootfs.resolve("to-file"), Path.of("file"));
    Files.createSymbolicLink(rootfs.resolve("loop"), Path.of("loop"));
    Files.createSymbolicLink(rootfs.resolve("dangling"), Path.of("/none/here"));
    Files.createSymbolicLink(rootfs.resolve("out"), Path.of("../../../../.." + temp + "/outside"));
    config.setText("/process/cwd", cwd);
    run().failsInOneLine(cwd, reason);
    assertThat(temp.resolve("outside")).doesNotExist();
  }

  /// As the kernel has it when the directory is entered with the rights of who made the container.
  @Test
  void aCwdThatTheUserMayNotReadIsEntered() throws IOException {
    Path closed = Files.createDirectories(bundle.rootfs().resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    config.set("/process/user/uid", "1000").setText("/process/cwd", "/closed/new");
    assertThat(runSh("pwd").succeeds().text()).isEqualTo("/closed/new");
    config.setText("/process/cwd", "/closed");
    assertThat(runSh("pwd; ls").fails().err()).contains("Permission denied");
  }

  @Test
  void aCwdInAMountIsMadeThere() throws IOException {
    config
        .mount("{destination:'/mnt',type:'tmpfs',source:'tmpfs'}")
        .setText("/process/cwd", "/mnt/new/here");
    assertThat(runSh("pwd").succeeds().text()).isEqualTo("/mnt/new/here");
    assertThat(bundle.rootfs().resolve("mnt")).isEmptyDirectory();
  }

  @Test
  void hostnameIsTheConfigs() throws IOException {
    config.setText("/hostname", tag);
    assertThat(runSh("hostname").succeeds().text()).isEqualTo(tag);
  }

  @Test
  void argumentsAreLookedUpInTheContainersPath() throws IOException {
    Files.writeString(bundle.rootfs().resolve("usr/bin/e2e"), "#!/bin/sh\necho found $0 $1\n");
    assertThat(bundle.rootfs().resolve("usr/bin/e2e").toFile().setExecutable(true, false)).isTrue();
    config.args("e2e", "me");
    assertThat(run().succeeds().text()).isEqualTo("found /usr/bin/e2e me");
  }

  @Test
  void anUnknownProgramIsNamed() throws IOException {
    config.args("no-such-program");
    Outcome outcome = run().fails();
    assertThat(outcome.err())
        .contains("no-such-program")
        .contains("executable file not found in $PATH");
    assertThat(outcome.status()).isIn(1, 127);
  }

  @Test
  void aMissingAbsoluteProgramIsNamed() throws IOException {
    config.args("/bin/no-such-program");
    assertThat(run().fails().err())
        .contains("/bin/no-such-program")
        .contains("no such file or directory");
  }

  /// As the program's own last word.
  @Test
  void aMissingInterpreterIsABareLine() throws IOException {
    Path script = bundle.rootfs().resolve("script");
    Files.writeString(script, "#!/no/interpreter\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    config.args("/script");
    assertThat(run().exits(255).err()).isEqualTo("exec /script: no such file or directory\n");
    startSleeper();
    assertThat(runtime("exec", id, "/script").exits(255).err())
        .isEqualTo("exec /script: no such file or directory\n");
    killAndDelete();
  }

  @Test
  void aFileWithoutExecuteBitIsRefused() throws IOException {
    config.args("/etc/passwd");
    assertThat(run().fails().err()).containsIgnoringCase("permission denied");
  }

  @Test
  void userGroupsAndUmask() throws IOException {
    config.set("/process/user", "{uid:1000,gid:1001,additionalGids:[50,60],umask:63}");
    assertThat(runSh("id -u; id -g; umask; grep ^Groups /proc/self/status").succeeds().lines())
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("1000"),
            line -> assertThat(line).isEqualTo("1001"),
            line -> assertThat(line).isEqualTo("0077"),
            line -> assertThat(line.split("\\s+")).containsExactly("Groups:", "50", "60"));
  }

  @Test
  void capabilitiesAreTheConfigsSets() throws IOException {
    config
        .set("/process/capabilities", "{}")
        .set("/process/capabilities/bounding", "['CAP_CHOWN','CAP_KILL','CAP_NET_RAW']")
        .set("/process/capabilities/permitted", "['CAP_CHOWN','CAP_KILL']")
        .set("/process/capabilities/effective", "['CAP_KILL']");
    // an exec by root raises the effective set to the permitted one; no_new_privs keeps it from the
    // bounding set
    assertThat(runSh("grep ^Cap /proc/self/status").succeeds().out())
        .contains("CapBnd:\t0000000000002021")
        .contains("CapPrm:\t0000000000000021")
        .contains("CapEff:\t0000000000000021")
        .contains("CapInh:\t0000000000000000")
        .contains("CapAmb:\t0000000000000000");
  }

  @Test
  void ambientCapabilitiesReachAnotherUser() throws IOException {
    config
        .set("/process/user", "{uid:1000,gid:1000}")
        .set(
            "/process/capabilities",
            "{bounding:['CAP_KILL'],permitted:['CAP_KILL'],effective:['CAP_KILL'],inheritable:['CAP_KILL'],ambient:['CAP_KILL']}");
    assertThat(runSh("grep ^Cap /proc/self/status").succeeds().out())
        .contains("CapAmb:\t0000000000000020")
        .contains("CapEff:\t0000000000000020");
  }

  @Test
  @JrunOnly
  void capabilitiesThatTheCallerDoesNotHaveAreLeftOut() throws IOException {
    String three = "['CAP_CHOWN','CAP_LEASE','CAP_KILL']";
    config.set(
        "/process/capabilities",
        "{bounding:%s,permitted:%s,effective:%s}".formatted(three, three, three));
    config.sh("grep ^Cap /proc/self/status");
    assertThat(onBundle("run").run().succeeds().out()).contains("CapPrm:\t0000000010000021");
    Outcome outcome = withoutLease(onBundle("run")).succeeds();
    assertThat(outcome.err()).contains("level=warning").contains("CAP_LEASE");
    assertThat(outcome.out())
        .contains("CapBnd:\t0000000000000021")
        .contains("CapPrm:\t0000000000000021");
    config.capabilities("CAP_CHOWN");
    startSleeper();
    Outcome exec =
        withoutLease(command("exec", "--cap", "CAP_LEASE", id, "grep", "^Cap", "/proc/self/status"))
            .succeeds();
    assertThat(exec.err()).contains("CAP_LEASE");
    assertThat(exec.out()).contains("CapPrm:\t0000000000000001");
  }

  /// In an engine of its own: another one's may have more, and then asks for what is refused.
  private static Outcome withoutLease(Command command) {
    List<String> words =
        new ArrayList<>(
            List.of("env", "JRUN_ENGINE=off", "setpriv", "--bounding-set", "-lease", "--"));
    words.addAll(command.words());
    return Command.of(words).run();
  }

  @Test
  void noCapabilitiesMeansNone() throws IOException {
    config.set("/process/capabilities", "{}");
    assertThat(runSh("grep ^Cap /proc/self/status").succeeds().lines())
        .hasSize(5)
        .allMatch(line -> line.endsWith("\t0000000000000000"));
  }

  @Test
  void rlimits() throws IOException {
    config.set(
        "/process/rlimits",
        "[{type:'RLIMIT_NOFILE',soft:100,hard:200},{type:'RLIMIT_CORE',soft:0,hard:0}]");
    assertThat(runSh("ulimit -Sn; ulimit -Hn; ulimit -Hc").succeeds().lines())
        .containsExactly("100", "200", "0");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noNewPrivileges(boolean set) throws IOException {
    config.set("/process/noNewPrivileges", String.valueOf(set));
    assertThat(runSh("grep ^NoNewPrivs /proc/self/status").succeeds().text())
        .isEqualTo("NoNewPrivs:\t" + (set ? 1 : 0));
  }

  @Test
  void theCallersOomScoreIsLeftAloneWhereTheConfigHasNone() throws IOException {
    config.remove("/process", "oomScoreAdj").sh("cat /proc/self/oom_score_adj");
    List<String> words =
        new ArrayList<>(
            List.of("sh", "-c", "echo 234 > /proc/self/oom_score_adj; exec \"$@\"", "sh"));
    words.addAll(onBundle("run").words());
    assertThat(Command.of(words).run().succeeds().text()).isEqualTo("234");
  }

  @Test
  void oomScoreAdj() throws IOException {
    config.set("/process/oomScoreAdj", "321");
    assertThat(runSh("cat /proc/self/oom_score_adj").succeeds().text()).isEqualTo("321");
  }

  @Test
  void initIsPid1AndHasOnlyItsStdio() throws IOException {
    assertThat(runSh("echo $$; cd /proc/1/fd; echo *").succeeds().lines())
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("1"),
            // the shell itself may keep a copy of its script's descriptor at 10 and above
            line -> assertThat(line).startsWith("0 1 2").doesNotContain(" 3 ", " 4 "));
  }

  @Test
  void signalMasksAndHandlersAreReset() throws IOException {
    config.args("grep", "-E", "^Sig(Blk|Cgt)", "/proc/self/status");
    assertThat(run().succeeds().lines()).allMatch(line -> line.endsWith("0000000000000000"));
  }

  @Test
  void detachedReturnsAtOnceAndWritesThePid() throws IOException {
    config.args("sleep", "1000");
    Path pidFile = temp.resolve("pid");
    onBundle("run", "--detach", "--pid-file", pidFile.toString()).run().succeeds();
    assertThat(status()).isEqualTo("running");
    assertThat(Files.readString(pidFile)).isEqualTo(state().get("pid").asString());
    killAndDelete();
  }

  @Test
  void theWorkingDirectoryIsTheDefaultBundle() throws IOException {
    config.sh("echo hello");
    bundle.write(config);
    assertThat(command("run", id).in(bundle.path()).run().succeeds().text()).isEqualTo("hello");
  }

  @Test
  void keepLeavesAStoppedContainer() throws IOException {
    org.junit.jupiter.api.Assumptions.assumeTrue(
        RUNTIME.knowsFlag("run", "--keep"), "this runtime has no --keep");
    onBundle("run", "--keep").run().succeeds();
    assertThat(status()).isEqualTo("stopped");
    runtime("delete", id).succeeds();
  }

  private static String output(Command.Running running) {
    try {
      return running.outputSoFar();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void domainnameIsTheConfigs() throws IOException {
    RUNTIME.assumeRecent("domainname");
    config.setText("/domainname", "example.test");
    assertThat(runSh("cat /proc/sys/kernel/domainname").succeeds().text())
        .isEqualTo("example.test");
  }

  @Test
  void homeIsFoundBehindThousandsOfUsers() throws IOException {
    StringBuilder passwd = new StringBuilder("root:x:0:0:root:/root:/bin/sh\n");
    for (int i = 0; i < 2000; i++) passwd.append("u" + i + ":x:" + (5000 + i) + ":1::/h:/bin/sh\n");
    passwd.append("last:x:1000:1000::/var:/bin/sh\n");
    Files.writeString(bundle.rootfs().resolve("etc/passwd"), passwd);
    config.set("/process/user", "{uid:1000,gid:1000}");
    assertThat(runSh("echo $HOME").succeeds().text()).isEqualTo("/var");
  }

  @Test
  void homeIsTheRootWhereNobodyKnowsTheUser() throws IOException {
    config.set("/process/user", "{uid:4242,gid:4242}");
    assertThat(runSh("echo $HOME").succeeds().text()).isEqualTo("/");
    Files.delete(bundle.rootfs().resolve("etc/passwd"));
    assertThat(runSh("echo $HOME").succeeds().text()).isEqualTo("/");
  }

  @Test
  void anEmptyHomeIsFilledIn() throws IOException {
    config.env("HOME=");
    assertThat(runSh("echo $HOME").succeeds().text()).isEqualTo("/root");
  }

  @Test
  void theLastOfSeveralPathsCounts() throws IOException {
    config.set("/process/env", "['PATH=/nowhere','PATH=/bin','E2E_TAG=" + tag + "']").args("true");
    run().succeeds();
    config.set("/process/env", "['PATH=/nowhere','E2E_TAG=" + tag + "']");
    assertThat(run().fails().err()).contains("executable file not found in $PATH");
  }

  @Test
  void withoutPivotRoot() throws IOException {
    config.sh("ls /proc/self/root/ > /dev/null && cat /etc/hostname; ls /tmp");
    assertThat(run("--no-pivot").succeeds().text()).isEqualTo("busybox");
  }

  @Test
  void theStateDirectorysPathMayBeLong() throws IOException {
    Path deep = temp;
    for (int i = 0; i < 6; i++) deep = deep.resolve("a-long-name-of-a-directory-" + i);
    Command create = onBundle("create");
    List<String> words = new java.util.ArrayList<>(create.words());
    words.set(2, deep.toString());
    Command.of(words).run().succeeds();
    RUNTIME.command(deep, "start", id).run().succeeds();
    assertThat(eventually(() -> stopped(deepRoot(words)))).isTrue();
    RUNTIME.command(deep, "delete", id).run().succeeds();
  }

  private static Path deepRoot(List<String> words) {
    return Path.of(words.get(2));
  }

  private boolean stopped(Path deep) {
    return RUNTIME.command(deep, "state", id).run().out().contains("\"stopped\"");
  }

  @Test
  void theLastOfSeveralValuesCountsAndIsThereOnce() throws IOException {
    config.env("ONE=first").env("ONE=").env("HOME=/elsewhere").env("HOME=").args("env");
    assertThat(run().succeeds().lines())
        .filteredOn(line -> line.startsWith("ONE=") || line.startsWith("HOME="))
        .containsExactlyInAnyOrder("ONE=", "HOME=/root");
  }
}
