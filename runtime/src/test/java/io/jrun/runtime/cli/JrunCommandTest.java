package io.jrun.runtime.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JrunCommandTest {
  private static final String STAMP = "time=\"2026-01-02T03:04:05Z\" level=error msg=";

  /// Of an option or a variable.
  private static final Pattern NAME_IN_HELP =
      Pattern.compile("(?m)^ +(?:-\\w, )?(--[a-z-]+|[A-Z_]{8,})\\b");

  private final RecordingOperations operations = new RecordingOperations();
  private final RecordingCaller caller = new RecordingCaller();

  private int jrun(String... args) {
    return JrunCommand.execute(List.of(args), operations, caller);
  }

  private void assertUsageError(String message, String... args) {
    assertThat(jrun(args)).isEqualTo(1);
    assertThat(caller.err).hasToString(STAMP + "\"" + message.replace("\"", "\\\"") + "\"\n");
    assertThat(operations.calls).isEmpty();
  }

  private static CreateOptions plainCreate(String id) {
    return new CreateOptions(GlobalOptions.DEFAULTS, id, "", null, null, null, false, false, 0);
  }

  private static ExecOptions plainExec(String id, String... args) {
    return new ExecOptions(
        GlobalOptions.DEFAULTS,
        id,
        List.of(args),
        null,
        null,
        null,
        List.of(),
        false,
        null,
        List.of(),
        null,
        false,
        null,
        null,
        null,
        false,
        List.of(),
        0,
        List.of(),
        false);
  }

  @Test
  void createTakesEveryFlagBeforeOrAfterTheId() {
    GlobalOptions global =
        new GlobalOptions("/r", "log.txt", LogFormat.JSON, true, false, true, "true");
    CreateOptions expected =
        new CreateOptions(global, "c1", "/b", "con.sock", "pidfd.sock", "pid", true, true, 2);
    assertThat(
            jrun(
                "--debug",
                "--log",
                "log.txt",
                "--log-format=json",
                "--root",
                "/r",
                "--systemd-cgroup",
                "--rootless",
                "true",
                "create",
                "--bundle",
                "/b",
                "--console-socket",
                "con.sock",
                "--pidfd-socket=pidfd.sock",
                "c1",
                "--pid-file",
                "pid",
                "--no-pivot",
                "--no-new-keyring",
                "--preserve-fds",
                "2"))
        .isZero();
    assertThat(operations.calls).containsExactly(expected);
  }

  @Test
  void runReturnsTheStatusOfTheContainer() {
    operations.status = 42;
    assertThat(jrun("run", "-d", "--keep", "--no-subreaper", "-b", "x", "c1")).isEqualTo(42);
    assertThat(operations.calls)
        .containsExactly(
            new RunOptions(
                new CreateOptions(
                    GlobalOptions.DEFAULTS, "c1", "x", null, null, null, false, false, 0),
                true,
                true,
                true));
  }

  @Test
  void labelsAreThoseOfKubernetes() {
    Metadata labels = new Metadata(Map.of("app", "web", "tier", ""), Map.of());
    assertThat(jrun("run", "--label", "app=web", "-l", "tier", "c1")).isZero();
    assertThat(operations.calls)
        .containsExactly(
            new RunOptions(
                plainCreate("c1")
                    .with(new Additions(List.of(), List.of(), null, labels, false), null),
                false,
                false,
                false));
    for (String wrong : List.of("=x", "a b=c", "app=a,b=c", "app=a;b", "-=")) {
      assertThat(jrun("run", "--label", wrong, "c2")).as(wrong).isNotZero();
    }
    assertThat(operations.calls).hasSize(1);
  }

  @Test
  void runDefaultsEverything() {
    assertThat(jrun("run", "c1")).isZero();
    assertThat(operations.calls)
        .containsExactly(new RunOptions(plainCreate("c1"), false, false, false));
  }

  @Test
  void execTakesEveryFlag() {
    operations.status = 3;
    assertThat(
            jrun(
                "exec",
                "--console-socket",
                "a",
                "--pidfd-socket",
                "b",
                "--cwd",
                "/w",
                "-e",
                "A=1,2",
                "--env",
                "B=",
                "-t",
                "-u",
                "1:2",
                "-g",
                "1",
                "-g",
                "2,4294967295",
                "-p",
                "p.json",
                "-d",
                "--pid-file",
                "f",
                "--process-label",
                "l",
                "--apparmor",
                "m",
                "--no-new-privs",
                "-c",
                "CAP_KILL",
                "--cap",
                "CAP_CHOWN",
                "--preserve-fds",
                "1",
                "--cgroup",
                "cpu,cpuacct:x",
                "--cgroup",
                "y",
                "--ignore-paused",
                "c1"))
        .isEqualTo(3);
    assertThat(operations.calls)
        .containsExactly(
            new ExecOptions(
                GlobalOptions.DEFAULTS,
                "c1",
                List.of(),
                "a",
                "b",
                "/w",
                List.of("A=1,2", "B="),
                true,
                "1:2",
                List.of(1L, 2L, 4294967295L),
                "p.json",
                true,
                "f",
                "l",
                "m",
                true,
                List.of("CAP_KILL", "CAP_CHOWN"),
                1,
                List.of("cpu,cpuacct:x", "y"),
                true));
  }

  @Test
  void whatFollowsTheIdOfExecBelongsToTheContainersCommand() {
    assertThat(jrun("exec", "c1", "sh", "-c", "x", "--", "-t", "--help", "@file", "")).isZero();
    assertThat(operations.calls)
        .containsExactly(plainExec("c1", "sh", "-c", "x", "--", "-t", "--help", "@file", ""));
  }

  @Test
  void execAcceptsTwoDashesBeforeOrAfterTheId() {
    assertThat(jrun("exec", "--", "c1", "ls", "-l")).isZero();
    assertThat(jrun("exec", "c1", "--", "ls", "-l")).isZero();
    assertThat(operations.calls)
        .containsExactly(plainExec("c1", "ls", "-l"), plainExec("c1", "ls", "-l"));
  }

  @Test
  void execThatFailsBeforeItsProcessRunsReturns255() {
    operations.failure = new IllegalStateException("container does not exist");
    assertThat(jrun("exec", "c1", "ls")).isEqualTo(255);
    assertThat(caller.err).hasToString(STAMP + "\"exec failed: container does not exist\"\n");
  }

  @Test
  void execWithoutCommandOrProcessFileFails() {
    assertThat(jrun("exec", "c1")).isEqualTo(255);
    assertThat(caller.err).hasToString(STAMP + "\"exec failed: process args cannot be empty\"\n");
    assertThat(operations.calls).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "start c1,start c1",
    "state c1,state c1 root=",
    "--root /a --root /b state c1,state c1 root=/b",
    "kill c1,kill c1 15 false",
    "kill -a c1 KILL,kill c1 9 true",
    "kill c1 --all sigrtmin+3,kill c1 37 true",
    "delete c1,delete c1 false",
    "delete --force c1,delete c1 true",
    "delete c1 -f,delete c1 true",
    "pause c1,pause c1",
    "resume c1,resume c1",
    "features,features",
    "spec,spec [] false",
    "spec -b x --rootless,spec [x] true",
    "engine status,engineStatus",
    "engine stop,engineStop",
    "engine restart,engineRestart",
    "--criu /x start c1,start c1",
  })
  void commandCallsItsOperation(String line, String call) {
    assertThat(jrun(line.split(" "))).isZero();
    assertThat(operations.calls).containsExactly(call);
    assertThat(caller.err).isEmpty();
  }

  @Test
  void engineStatusIsTextUnlessJsonIsAsked() {
    jrun("engine", "status");
    assertThat(caller.out).hasToString("pid: 7\nsocket: /run/x\n");
    caller.out.setLength(0);
    jrun("engine", "status", "--format", "json");
    assertThat(caller.out).hasToString("{\"pid\":7,\"socket\":\"/run/x\"}\n");
  }

  @Test
  void wrongUsesAreExplainedAsByRunc() {
    assertUsageError("jrun: \"create\" requires exactly 1 argument(s)", "create");
    caller.err.setLength(0);
    assertUsageError("jrun: \"run\" requires exactly 1 argument(s)", "run", "a", "b");
    caller.err.setLength(0);
    assertUsageError("jrun: \"exec\" requires a minimum of 1 argument(s)", "exec");
    caller.err.setLength(0);
    assertUsageError("jrun: \"kill\" requires a maximum of 2 argument(s)", "kill", "a", "9", "c");
    caller.err.setLength(0);
    assertUsageError("jrun: \"list\" requires exactly 0 argument(s)", "list", "a");
    caller.err.setLength(0);
    assertUsageError("flag provided but not defined: -bogus", "create", "--bogus", "a");
    caller.err.setLength(0);
    assertUsageError("flag provided but not defined: -bogus", "state", "--bogus=1", "a");
    caller.err.setLength(0);
    assertUsageError("flag provided but not defined: -bogus", "--bogus", "create");
    caller.err.setLength(0);
    assertUsageError("flag needs an argument: -bundle", "create", "--bundle");
    caller.err.setLength(0);
    assertUsageError(
        "invalid value \"x\" for flag -preserve-fds: parse error",
        "create",
        "--preserve-fds",
        "x",
        "a");
    caller.err.setLength(0);
    assertUsageError(
        "invalid value \"-1\" for flag -preserve-fds: parse error",
        "create",
        "--preserve-fds=-1",
        "a");
    caller.err.setLength(0);
    assertUsageError(
        "invalid value \"-1\" for flag -additional-gids: parse error",
        "exec",
        "-g",
        "-1",
        "a",
        "ls");
    caller.err.setLength(0);
    assertUsageError("invalid format option", "list", "-f", "xml");
    caller.err.setLength(0);
    assertUsageError("invalid format option", "ps", "--format=xml", "a");
    caller.err.setLength(0);
    assertUsageError("invalid log-format: xml", "--log-format", "xml", "list");
    caller.err.setLength(0);
    assertUsageError("unknown signal \"FOO\"", "kill", "a", "FOO");
    caller.err.setLength(0);
    assertUsageError("unknown command \"engine x\"", "engine", "x");
  }

  @Test
  void checkpointAndRestoreTakeRuncsFlags() {
    assertThat(
            jrun(
                "checkpoint",
                "--image-path",
                "i",
                "--work-path=w",
                "--parent-path",
                "../p",
                "--leave-running",
                "--tcp-established",
                "--tcp-skip-in-flight",
                "--link-remap",
                "--ext-unix-sk",
                "--shell-job",
                "--lazy-pages",
                "--status-fd",
                "7",
                "--page-server",
                "[::1]:99",
                "--file-locks",
                "--pre-dump",
                "--manage-cgroups-mode",
                "soft",
                "--empty-ns",
                "network",
                "--auto-dedup",
                "c1"))
        .isZero();
    CriuOptions all =
        new CriuOptions(
            "", "i", "w", true, true, true, true, "soft", List.of("network"), true, true);
    assertThat(operations.calls)
        .containsExactly(
            new CheckpointOptions(
                GlobalOptions.DEFAULTS, "c1", all, "../p", true, true, true, 7, "[::1]:99", true));
    operations.calls.clear();
    operations.status = 5;
    assertThat(
            jrun(
                "restore",
                "-d",
                "-b",
                "dir",
                "--console-socket",
                "s",
                "--pid-file",
                "p",
                "--no-subreaper",
                "--no-pivot",
                "--lsm-profile",
                "apparmor:x",
                "--lsm-mount-context",
                "c",
                "c1"))
        .isEqualTo(5);
    CreateOptions create =
        new CreateOptions(GlobalOptions.DEFAULTS, "c1", "dir", "s", null, "p", true, false, 0);
    CriuOptions none =
        new CriuOptions("", "", null, false, false, false, false, "", List.of(), false, false);
    assertThat(operations.calls)
        .containsExactly(new RestoreOptions(create, none, true, true, "apparmor:x", "c"));
  }

  @Test
  void unknownCommandHasRuncsStatus() {
    assertThat(jrun("bogus")).isEqualTo(3);
    assertThat(caller.err).hasToString(STAMP + "\"unknown command \\\"bogus\\\"\"\n");
  }

  @Test
  void failureGoesToTheLogFileAndPlainlyToStandardError() {
    operations.failure = new IllegalStateException("mkdir \"/x\": EACCES");
    assertThat(jrun("--log", "f.log", "create", "c1")).isEqualTo(1);
    assertThat(caller.files)
        .isEqualTo(Map.of("f.log", STAMP + "\"jrun create failed: mkdir \\\"/x\\\": EACCES\"\n"));
    assertThat(caller.err).hasToString("jrun create failed: mkdir \"/x\": EACCES\n");
  }

  @Test
  void jsonLogHoldsOneObjectALine() {
    operations.failure = new IllegalStateException("container does not exist");
    String record =
        "{\"level\":\"error\",\"msg\":\"container does not exist\",\"time\":\"2026-01-02T03:04:05Z\"}\n";
    assertThat(jrun("--log-format", "json", "--log", "f.log", "state", "c1")).isEqualTo(1);
    assertThat(caller.files).isEqualTo(Map.of("f.log", record));
    assertThat(caller.err).hasToString("container does not exist\n");
    caller.err.setLength(0);
    assertThat(jrun("--log-format", "json", "--log", "/dev/stderr", "state", "c1")).isEqualTo(1);
    assertThat(caller.err).hasToString(record);
  }

  @Test
  void listPrintsATableAlignedAsRuncs() {
    operations.containers = List.of(summary("c1", Map.of()), summary("a-long-name-here", Map.of()));
    assertThat(jrun("list")).isZero();
    assertThat(caller.out)
        .hasToString(
            """
            ID                 PID         STATUS      BUNDLE      CREATED                          OWNER
            c1                 12          running     /b          2026-01-02T03:04:05.123456789Z   root
            a-long-name-here   12          running     /b          2026-01-02T03:04:05.123456789Z   root
            """);
  }

  @Test
  void emptyListIsAHeaderOrNull() {
    jrun("list");
    assertThat(caller.out)
        .hasToString("ID          PID         STATUS      BUNDLE      CREATED     OWNER\n");
    caller.out.setLength(0);
    jrun("list", "-f", "json");
    assertThat(caller.out).hasToString("null\n");
    caller.out.setLength(0);
    jrun("list", "-q");
    assertThat(caller.out).isEmpty();
  }

  @Test
  void listPrintsJsonOrIds() {
    operations.containers = List.of(summary("c1", Map.of("k", "v")));
    jrun("list", "--format=json");
    assertThat(caller.out)
        .hasToString(
            "[{\"ociVersion\":\"1.3.0\",\"id\":\"c1\",\"pid\":12,\"status\":\"running\",\"bundle\":\"/b\","
                + "\"rootfs\":\"/b/rootfs\",\"created\":\"2026-01-02T03:04:05.123456789Z\","
                + "\"annotations\":{\"k\":\"v\"},\"owner\":\"root\"}]\n");
    caller.out.setLength(0);
    jrun("list", "--quiet");
    assertThat(caller.out).hasToString("c1\n");
  }

  private static ContainerSummary summary(String id, Map<String, String> annotations) {
    return new ContainerSummary(
        "1.3.0",
        id,
        12,
        "running",
        "/b",
        "/b/rootfs",
        "2026-01-02T03:04:05.123456789Z",
        annotations,
        "root",
        List.of());
  }

  @Test
  void psKeepsTheHeaderAndTheContainersRows() {
    operations.pids = List.of(12, 300);
    caller.commandOutput =
        """
        UID          PID    PPID CMD
        root           1       0 init 12
        root          12       1 sh
        root         300      12 sleep
        root         301     300 x
        """;
    assertThat(jrun("ps", "c1")).isZero();
    assertThat(caller.commands).containsExactly(List.of("ps", "-ef"));
    assertThat(caller.out)
        .hasToString(
            """
            UID          PID    PPID CMD
            root          12       1 sh
            root         300      12 sleep
            """);
  }

  @Test
  void psPassesOptionsOn() {
    caller.commandOutput = "  COMMAND\n";
    assertThat(jrun("ps", "-f", "table", "c1", "-o", "comm", "--help")).isEqualTo(1);
    assertThat(caller.commands).containsExactly(List.of("ps", "-o", "comm", "--help"));
    assertThat(caller.err).hasToString(STAMP + "\"couldn't find PID field in ps output\"\n");
  }

  @Test
  void psPrintsJson() {
    operations.pids = List.of(12, 300);
    jrun("ps", "-f", "json", "c1");
    assertThat(caller.out).hasToString("[12,300]\n");
    assertThat(caller.commands).isEmpty();
  }

  @Test
  void helpOfACommandBelowAnotherIsItsOwn() {
    for (String line :
        List.of(
            "image load",
            "image pull",
            "image save",
            "bundle create",
            "cni gc",
            "cni policy apply",
            "rootfs diff",
            "sandbox run",
            "volume rm")) {
      List<String> words = new ArrayList<>(List.of("help"));
      words.addAll(List.of(line.split(" ")));
      assertThat(jrun(words.toArray(String[]::new))).as(line).isZero();
      assertThat(caller.out.toString()).as(line).contains("Usage: jrun " + line);
    }
    assertThat(operations.calls).isEmpty();
    assertThat(jrun("help", "image", "nosuch")).isEqualTo(1);
    assertThat(jrun("help", "exec", "more")).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "add,NETWORK NETNS,--json --cache --timeout NETCONFPATH CNI_PATH CNI_IFNAME CNI_ARGS CAP_ARGS",
    "del,NETWORK NETNS,--cache --timeout NETCONFPATH CNI_PATH CNI_IFNAME CNI_ARGS CAP_ARGS",
    "check,NETWORK NETNS,--cache --timeout NETCONFPATH CNI_PATH CNI_IFNAME CNI_ARGS CAP_ARGS",
    "gc,NETWORK [NETNS],--keep --cache --timeout NETCONFPATH CNI_PATH",
    "status,NETWORK [NETNS],--timeout NETCONFPATH CNI_PATH",
    "version,NETWORK [NETNS],--json --timeout NETCONFPATH CNI_PATH",
    "list,'',--json --cache NETCONFPATH",
    "node,NETWORK,--once NETCONFPATH",
    "policy,apply|list|show|delete|endpoints [NAME...],--json --filename --namespace --policy-dir",
    "policy apply,'',--filename --namespace --policy-dir",
    "policy list,'',--json --namespace --policy-dir",
    "policy show,NAME,--json --namespace --policy-dir",
    "policy delete,NAME...,--namespace --policy-dir",
    "policy endpoints,'',--json --policy-dir",
  })
  void eachCommandOfCniHasItsOwnHelp(String command, String arguments, String names) {
    String words = command.replace(" ", " --help ");
    for (String line : List.of(command + " --help", "--cache x " + words + " -h more")) {
      caller.out.setLength(0);
      assertThat(jrun(("cni " + line).split(" "))).as(line).isZero();
      String help = caller.out.toString();
      assertThat(help).startsWith("Usage: jrun cni " + command + " [-h] ");
      assertThat(help.replaceAll("\\s+", " ")).as(line).contains((" " + arguments).stripTrailing());
      assertThat(NAME_IN_HELP.matcher(help).results().map(found -> found.group(1)))
          .as(line)
          .containsExactlyInAnyOrderElementsOf(List.of(("--help " + names).split(" ")));
    }
    assertThat(operations.calls).isEmpty();
  }

  @Test
  void helpOfCniListsItsCommands() {
    for (String line : List.of("help cni", "cni -h", "cni nosuch --help")) {
      caller.out.setLength(0);
      assertThat(jrun(line.split(" "))).isZero();
      assertThat(caller.out).contains("  add    ", "  policy endpoints ", "--keep=id/ifname");
    }
  }

  @Test
  void helpAndVersionPerformNothing() {
    assertThat(jrun()).isZero();
    assertThat(caller.out).contains("Usage: jrun", "--systemd-cgroup", "  resume    ");
    assertThat(caller.out.toString()).doesNotContain("criu");
    caller.out.setLength(0);
    assertThat(jrun("run", "--help")).isZero();
    assertThat(caller.out).contains("Usage: jrun run", "--no-subreaper", "<container-id>");
    caller.out.setLength(0);
    assertThat(jrun("help", "exec")).isZero();
    assertThat(caller.out).contains("Usage: jrun exec", "--ignore-paused");
    caller.out.setLength(0);
    assertThat(jrun("--version")).isZero();
    assertThat(caller.out).startsWith("jrun version ").contains("spec: 1.");
    assertThat(jrun("-h")).isZero();
    assertThat(operations.calls).isEmpty();
    assertThat(caller.err).isEmpty();
  }

  @Test
  void sandboxRunTakesEveryFlag() {
    assertThat(
            jrun(
                "sandbox",
                "run",
                "--network",
                "a,b",
                "--publish",
                "80:80",
                "--hostname",
                "h",
                "--sysctl",
                "net.x=1=2",
                "--share",
                "+pid",
                "--shm-size",
                "1m",
                "--label",
                "app=web",
                "-l",
                "x/y",
                "--label",
                "app=db",
                "--annotation",
                "io.jrun.namespace=shop",
                "s1"))
        .isZero();
    assertThat(operations.calls)
        .containsExactly(
            new SandboxOptions(
                GlobalOptions.DEFAULTS,
                "s1",
                List.of("a,b"),
                List.of("80:80"),
                "h",
                Map.of("net.x", "1=2"),
                List.of(
                    io.jrun.specs.runtime.NamespaceType.NETWORK,
                    io.jrun.specs.runtime.NamespaceType.IPC,
                    io.jrun.specs.runtime.NamespaceType.UTS,
                    io.jrun.specs.runtime.NamespaceType.PID),
                "1m",
                new Metadata(Map.of("app", "db", "x/y", ""), Map.of("io.jrun.namespace", "shop"))));
  }

  @Test
  void sandboxesAreStoppedRemovedAndListed() {
    operations.sandboxes =
        List.of(
            new SandboxSummary("s1", 7, "running", List.of("10.0.0.2/24"), List.of("c1"), "now"));
    jrun("sandbox", "stop", "--time", "3", "s1");
    jrun("sandbox", "rm", "-f", "s1");
    assertThat(operations.calls).containsExactly("sandbox stop s1 3", "sandbox rm s1 true");
    jrun("sandbox", "list", "-q");
    assertThat(caller.out).hasToString("s1\n");
    caller.out.setLength(0);
    jrun("sandbox", "list", "--format", "json");
    assertThat(caller.out)
        .hasToString(
            "[{\"name\":\"s1\",\"pid\":7,\"status\":\"running\",\"addresses\":[\"10.0.0.2/24\"],"
                + "\"containers\":[\"c1\"],\"created\":\"now\"}]\n");
  }
}
