package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// `checkpoint` and `restore`, with the `criu` of the PATH. The container counts in a file of a
/// bind mount; its standard descriptors are /dev/null, as CRIU saves no files from outside.
@EnabledIf(value = "criuWorks", disabledReason = "no criu that can check itself on this kernel")
class CheckpointIT extends EndToEnd {
  private static final String COUNT =
      "trap 'exit 9' TERM; i=0; while :; do i=$((i+1)); echo $i > /mnt/new; mv /mnt/new /mnt/count; echo $i >> /mnt/all; sleep 0.05; done";

  private Path out = Path.of("/");
  private Path images = Path.of("/");

  static boolean criuWorks() {
    return Command.of("sh", "-c", "command -v criu && criu check").run().status() == 0;
  }

  private static void assumeFeature(String feature) {
    assumeTrue(
        Command.of("criu", "check", "--feature", feature).run().status() == 0,
        "criu has no " + feature + " on this kernel");
  }

  @BeforeEach
  void mountTheOutput() throws IOException {
    out = Files.createDirectory(temp.resolve("out"));
    images = temp.resolve("images");
    config
        .mount("{destination:'/mnt',type:'bind',source:'%s',options:['bind','rw']}".formatted(out))
        .sh(COUNT);
  }

  /// With /dev/null for what the container keeps, and the log for what is wrong.
  private Outcome quietly(Command command) throws IOException {
    Path log = temp.resolve("log");
    Files.deleteIfExists(log);
    List<String> words =
        new ArrayList<>(List.of("sh", "-c", "exec \"$@\" > /dev/null 2>&1 < /dev/null", "sh"));
    words.addAll(command.words());
    words.addAll(words.indexOf("--root"), List.of("--log", log.toString()));
    Outcome outcome = Command.of(words).in(temp).run();
    return new Outcome(words, outcome.status(), "", Files.exists(log) ? Files.readString(log) : "");
  }

  private void startCounting() throws IOException {
    quietly(onBundle("create")).succeeds();
    runtime("start", id).succeeds();
    awaitCountAbove(0);
  }

  private int count() {
    try {
      String text = Files.readString(out.resolve("count")).strip();
      return text.isEmpty() ? 0 : Integer.parseInt(text);
    } catch (IOException e) {
      return 0; // not yet
    }
  }

  private void awaitCountAbove(int count) {
    assertThat(eventually(() -> count() > count)).as("the container counts on").isTrue();
  }

  private Outcome checkpoint(String... flags) {
    List<String> words = new ArrayList<>(List.of("checkpoint", "--image-path", images.toString()));
    words.addAll(List.of(flags));
    words.add(id);
    return command(words.toArray(String[]::new)).in(temp).run();
  }

  private Command restoreCommand(String... flags) throws IOException {
    List<String> words = new ArrayList<>(List.of("--image-path", images.toString()));
    words.addAll(List.of(flags));
    return onBundle("restore", words.toArray(String[]::new));
  }

  private void restore(String... flags) throws IOException {
    List<String> words = new ArrayList<>(List.of("--detach"));
    words.addAll(List.of(flags));
    quietly(restoreCommand(words.toArray(String[]::new))).succeeds();
    assertThat(status()).isEqualTo("running");
  }

  @Test
  @Tag("vm")
  void aContainerGoesOnWhereItWas() throws IOException {
    config.set("/linux/resources", "{pids:{limit:40}}");
    startCounting();
    for (int round = 0; round < 2; round++) {
      awaitCountAbove(count() + 3);
      checkpoint("--work-path", temp.resolve("work").toString()).succeeds();
      assertThat(ids()).isEmpty();
      assertThat(cgroups()).isEmpty();
      int saved = count();
      Path pidFile = temp.resolve("pid");
      restore("--pid-file", pidFile.toString(), "--work-path", temp.resolve("work").toString());
      awaitCountAbove(saved);
      assertThat(Files.readString(pidFile)).isEqualTo(state().get("pid").asString());
    }
    Outcome exec =
        runtime("exec", id, "sh", "-c", "cat /proc/1/comm; hostname; grep -c mnt /proc/mounts");
    assertThat(exec.succeeds().lines()).startsWith("sh").endsWith("1");
    assertThat(runtime("exec", id, "cat", "/proc/1/uptime").status()).isNotZero();
    for (Path cgroup : cgroups())
      if (Files.exists(cgroup.resolve("pids.max")))
        assertThat(Files.readString(cgroup.resolve("pids.max")).strip()).isEqualTo("40");
    assertThat(runtime("ps", id).succeeds().out()).contains("sh -c trap");
    runtime("delete", id).fails();
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void aContainerThatIsLeftRunsOn() throws IOException {
    startCounting();
    checkpoint("--leave-running").succeeds();
    assertThat(status()).isEqualTo("running");
    int saved = count();
    awaitCountAbove(saved + 5);
    killAndDelete();
    Files.delete(out.resolve("all"));
    restore();
    assertThat(eventually(() -> out.resolve("all").toFile().length() > 1)).isTrue();
    assertThat(Integer.parseInt(Files.readAllLines(out.resolve("all")).getFirst()))
        .as("restored from before")
        .isLessThanOrEqualTo(saved + 1);
  }

  @Test
  @Tag("vm")
  void aPausedContainerIsSavedToo() throws IOException {
    startCounting();
    runtime("pause", id).succeeds();
    int saved = count();
    checkpoint().succeeds();
    assertThat(ids()).isEmpty();
    restore();
    awaitCountAbove(saved);
  }

  @Test
  @Tag("vm")
  void restoreInTheForegroundHasTheStatus() throws IOException {
    startCounting();
    checkpoint().succeeds();
    int saved = count();
    Command restore = restoreCommand();
    List<String> words =
        new ArrayList<>(List.of("sh", "-c", "exec \"$@\" > /dev/null 2>&1 < /dev/null", "sh"));
    words.addAll(restore.words());
    Command.Running running = Command.of(words).start();
    awaitCountAbove(saved);
    runtime("kill", id, "TERM").succeeds();
    running.finish().exits(9);
    assertThat(ids()).isEmpty();
  }

  @Test
  void theTerminalComesOverTheConsoleSocket() throws IOException {
    Machine.assumeInstalled("python3");
    config
        .set("/process/terminal", "true")
        .sh("stty -echo; while read line; do echo got-$line; done");
    Path socket = temp.resolve("console.sock");
    Command.Running first = keepTerminal(socket, "one");
    onBundle("run", "-d", "--console-socket", socket.toString()).run().succeeds();
    assertThat(eventually(() -> said(first).contains("got-one"))).isTrue();
    checkpoint().succeeds();
    first.process().destroy();
    first.finish();
    Command.Running second = keepTerminal(socket, "two");
    restoreCommand("-d", "--console-socket", socket.toString()).run().succeeds();
    assertThat(eventually(() -> said(second).contains("got-two"))).isTrue();
    second.process().destroy();
    second.finish();
  }

  private static String said(Command.Running running) {
    try {
      return running.outputSoFar();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /// Receives a terminal, writes a line to it, and shows what comes until it is ended.
  private Command.Running keepTerminal(Path socket, String line) throws IOException {
    Files.deleteIfExists(socket);
    String script =
        """
        import os, socket, sys
        listener = socket.socket(socket.AF_UNIX); listener.bind(sys.argv[1]); listener.listen(1)
        master = socket.recv_fds(listener.accept()[0], 4096, 1)[1][0]
        os.write(master, (sys.argv[2] + "\\n").encode())
        while True: os.write(1, os.read(master, 4096))
        """;
    Command.Running running = Command.of("python3", "-c", script, socket.toString(), line).start();
    assertThat(eventually(() -> Files.exists(socket))).isTrue();
    return running;
  }

  @Test
  void pipesOfTheCallerAreInherited() throws IOException {
    config.sh("while read line; do echo got-$line; done");
    bundle.write(config);
    String script =
        """
        set -e
        mkfifo in out; exec 7<>in 8<>out
        "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" "$ID" < in > out 2> /dev/null
        echo one >&7; read -t 10 a <&8
        "$RUNTIME" --root "$ROOT" checkpoint --image-path images "$ID"
        "$RUNTIME" --root "$ROOT" restore -d --image-path images --bundle "$BUNDLE" "$ID" < in > out 2> /dev/null
        echo two >&7; read -t 10 b <&8
        echo "$a $b"
        """;
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "bash is not installed");
    // anonymous pipes, as named ones are files from outside
    script =
        script
            .replace("mkfifo in out; exec 7<>in 8<>out", "exec 7<> <(:) 8<> <(:)")
            .replace("< in > out", "< /proc/self/fd/7 > /proc/self/fd/8");
    assertThat(
            Command.of("bash", "-c", script)
                .with("RUNTIME", RUNTIME.path().toString())
                .with("ROOT", root.toString())
                .with("BUNDLE", bundle.path().toString())
                .with("ID", id)
                .in(temp)
                .run()
                .succeeds()
                .text())
        .isEqualTo("got-one got-two");
  }

  @Test
  void aJoinedNetworkNamespaceIsJoinedAgain() throws IOException {
    assumeFeature("external_net_ns");
    Command.of("ip", "netns", "add", tag).run().succeeds();
    try {
      String path = "/run/netns/" + tag;
      config.namespaces("pid", "mount", "ipc", "uts");
      config.set("/linux/namespaces/-", "{type:'network',path:'" + path + "'}");
      startCounting();
      checkpoint().succeeds();
      int saved = count();
      restore();
      awaitCountAbove(saved);
      assertThat(
              Command.of("stat", "-Lc", "%i", "/proc/" + state().get("pid").asString() + "/ns/net")
                  .run()
                  .text())
          .isEqualTo(Command.of("stat", "-Lc", "%i", path).run().text());
      killAndDelete();
    } finally {
      Command.of("ip", "netns", "del", tag).run().succeeds();
    }
  }

  /// Lets the container use the host's python3.
  private void bringPython() throws IOException {
    assumeTrue(
        Files.isSymbolicLink(Path.of("/lib")) && Files.exists(Path.of("/usr/bin/python3")),
        "no python3 in a merged /usr");
    config.mount("{destination:'/usr',type:'bind',source:'/usr',options:['bind','ro']}");
    for (String name : List.of("lib", "lib64"))
      Files.createSymbolicLink(bundle.rootfs().resolve(name), Path.of("usr", name));
  }

  private static final String COUNT_IN_PYTHON =
      """
      import itertools, os, time
      for i in itertools.count(1):
          open('/mnt/new', 'w').write(str(i)); os.rename('/mnt/new', '/mnt/count'); time.sleep(0.05)
      """;

  @Test
  void fileLocksNeedTheirFlag() throws IOException {
    bringPython();
    config
        .writableRoot()
        .args(
            "python3",
            "-c",
            "import fcntl\nlock = open('/tmp/lock', 'w')\nfcntl.flock(lock, fcntl.LOCK_EX)\n"
                + COUNT_IN_PYTHON);
    startCounting();
    checkpoint().fails();
    assertThat(status()).as("a failed checkpoint leaves the container").isEqualTo("running");
    awaitCountAbove(count());
    checkpoint("--file-locks").succeeds();
    int saved = count();
    restore("--file-locks");
    awaitCountAbove(saved);
    runtime(
            "exec",
            id,
            "python3",
            "-c",
            "import fcntl; fcntl.flock(open('/tmp/lock'), fcntl.LOCK_EX | fcntl.LOCK_NB)")
        .exits(1);
  }

  @Test
  void tcpConnectionsNeedTheirFlag() throws IOException {
    bringPython();
    config.args(
        "python3",
        "-c",
        """
        import socket
        listener = socket.create_server(('127.0.0.1', 4321))
        one = socket.create_connection(('127.0.0.1', 4321)); two = listener.accept()[0]
        import itertools, os, time
        for i in itertools.count(1):
            one.send(str(i).encode()); got = two.recv(100)
            open('/mnt/new', 'wb').write(got); os.rename('/mnt/new', '/mnt/count'); time.sleep(0.05)
        """);
    startCounting();
    checkpoint().fails();
    awaitCountAbove(count());
    Outcome saving = checkpoint("--tcp-established");
    assumeTrue(
        saving.status() == 0 || !log("dump.log").contains("Operation not supported"),
        "this kernel does not tell criu all of a socket");
    saving.succeeds();
    int saved = count();
    quietly(restoreCommand("--detach")).fails();
    assertThat(ids()).as("a failed restore leaves nothing").isEmpty();
    assertThat(cgroups()).isEmpty();
    restore("--tcp-established");
    awaitCountAbove(saved);
  }

  private String log(String name) throws IOException {
    return Files.readString(images.resolve(name), java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  @Test
  void missingMountPointsAreMadeAgainAndLinksFollowed() throws IOException {
    Path inner = Files.createDirectory(temp.resolve("inner"));
    Path nested = Files.createDirectory(temp.resolve("nested"));
    Files.createDirectories(bundle.rootfs().resolve("real/conf"));
    Files.createSymbolicLink(bundle.rootfs().resolve("conf"), Path.of("/real/conf"));
    config
        .mount("{destination:'/a',type:'bind',source:'%s',options:['bind']}".formatted(inner))
        .mount("{destination:'/a/b/c',type:'bind',source:'%s',options:['bind']}".formatted(nested))
        .mount("{destination:'/conf',type:'bind',source:'%s',options:['bind']}".formatted(nested));
    Files.writeString(nested.resolve("f"), "content");
    startCounting();
    checkpoint().succeeds();
    Files.delete(inner.resolve("b/c"));
    Files.delete(inner.resolve("b"));
    restore();
    assertThat(runtime("exec", id, "cat", "/a/b/c/f", "/real/conf/f").succeeds().text())
        .isEqualTo("contentcontent");
  }

  @Test
  void hooksRunAsRuncRunsThem() throws IOException {
    for (String kind :
        List.of("prestart", "createRuntime", "createContainer", "startContainer", "poststop")) {
      String to = kind.equals("startContainer") ? "/mnt" : out.toString();
      config.set(
          "/hooks/" + kind + "/-",
          "{path:'/bin/sh',args:['sh','-c','echo %s >> %s/order'],env:['PATH=/bin:/usr/bin']}"
              .formatted(kind, to));
    }
    startCounting();
    checkpoint().succeeds();
    Path order = out.resolve("order");
    assertThat(Files.readAllLines(order)).endsWith("poststop");
    Files.delete(order);
    restore();
    assertThat(Files.readAllLines(order)).containsExactly("prestart", "createRuntime");
    config.set("/hooks/createRuntime/-", "{path:'/bin/sh',args:['sh','-c','exit 4']}");
    killAndDelete();
    assertThat(quietly(restoreCommand("--detach")).fails().err()).contains("hook");
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }

  @Test
  void memoryIsSavedBeforehand() throws IOException {
    assumeFeature("mem_dirty_track");
    startCounting();
    Path parent = temp.resolve("parent");
    command("checkpoint", "--pre-dump", "--image-path", parent.toString(), id).run().succeeds();
    assertThat(status()).isEqualTo("running");
    checkpoint("--parent-path", "../parent").succeeds();
    assertThat(images.resolve("parent")).exists();
    int saved = count();
    restore();
    awaitCountAbove(saved);
  }

  @Test
  @JrunOnly // the text is that of later runcs
  void memoryThatCannotBeWatchedIsNotSavedBeforehand() throws IOException {
    assumeTrue(
        Command.of("criu", "check", "--feature", "mem_dirty_track").run().status() != 0,
        "criu can watch memory here");
    startCounting();
    assertThat(checkpoint("--pre-dump").fails().err())
        .contains("criu is missing features: [MemTrack]");
    assertThat(status()).isEqualTo("running");
  }

  /// CRIU's lazy-pages daemon has them from the images.
  @Test
  void pagesAreFetchedWhenTheyAreNeeded() throws IOException {
    assumeFeature("uffd-noncoop");
    startCounting();
    checkpoint().succeeds();
    int saved = count();
    Command.Running daemon =
        Command.of("criu", "lazy-pages", "-D", images.toString(), "-W", images.toString()).start();
    assertThat(eventually(() -> Files.exists(images.resolve("lazy-pages.socket"))))
        .as("the daemon listens")
        .isTrue();
    restore("--lazy-pages", "--work-path", images.toString());
    awaitCountAbove(saved);
    killAndDelete();
    daemon.finish().succeeds();
  }

  /// From the container that is saved to another host: only the serving side, as CRIU's page server
  /// fails on the kernels that tests ran on, with runc, too.
  @Test
  void pagesCanBeServedLazily() throws IOException {
    assumeFeature("uffd-noncoop");
    startCounting();
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Path ready = temp.resolve("ready");
    List<String> words = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 9> " + ready, "sh"));
    words.addAll(
        command(
                "checkpoint",
                "--lazy-pages",
                "--page-server",
                "127.0.0.1:" + port,
                "--status-fd",
                "9",
                "--image-path",
                images.toString(),
                id)
            .words());
    Command.Running checkpoint = Command.of(words).start();
    assertThat(eventually(() -> ready.toFile().length() == 1)).as("pages can be fetched").isTrue();
    assertThat(images.resolve("inventory.img")).exists();
    checkpoint.process().descendants().forEach(ProcessHandle::destroyForcibly);
    checkpoint.finish();
    runtime("delete", "--force", id).succeeds();
  }

  @Test
  void runcsImagesAreJrunsAndTheOtherWayRound() throws IOException {
    assumeTrue(RUNTIME.isJrun(), "of jrun beside runc");
    Machine.assumeInstalled("runc");
    config.remove("/linux", "namespaces");
    config.namespaces("pid", "mount", "ipc", "uts", "network");
    startCounting();
    checkpoint().succeeds();
    int saved = count();
    Path state = temp.resolve("runc-state");
    List<String> runc = List.of("runc", "--root", state.toString());
    try {
      quietly(
              runcCommand(
                  runc,
                  "restore",
                  "-d",
                  "--bundle",
                  bundle.path().toString(),
                  "--image-path",
                  images.toString(),
                  id))
          .succeeds();
      awaitCountAbove(saved);
      runcCommand(runc, "checkpoint", "--image-path", temp + "/back", id).run().succeeds();
      saved = count();
      images = temp.resolve("back");
      restore();
      awaitCountAbove(saved);
    } finally {
      runcCommand(runc, "delete", "--force", id).run();
    }
  }

  private static Command runcCommand(List<String> runc, String... rest) {
    List<String> words = new ArrayList<>(runc);
    words.addAll(List.of(rest));
    return Command.of(words);
  }

  @Test
  @JrunOnly // the texts are those of later runcs
  void whatCannotBeIsRefused() throws IOException {
    create();
    assertThat(checkpoint().fails().err()).contains("cannot be checkpointed in created state");
    runtime("start", id).succeeds();
    assertThat(checkpoint("--parent-path", "/tmp").fails().err())
        .contains("--parent-path must be relative");
    assertThat(checkpoint("--parent-path", "nosuch").fails().err()).contains("--parent-path");
    assertThat(checkpoint("--manage-cgroups-mode", "some").fails().err())
        .contains("invalid manage-cgroups-mode value");
    assertThat(checkpoint("--empty-ns", "pid").fails().err()).contains("is not supported");
    assertThat(checkpoint("--page-server", "nowhere").fails().err())
        .contains("Use --page-server ADDRESS:PORT to specify page server");
    assertThat(command("checkpoint", id).with("PATH", "/nonexistent").run().fails().err())
        .contains("CRIU version check failed");
    assertThat(status()).isEqualTo("running");
    killAndDelete();
    quietly(restoreCommand("--detach")).fails();
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }
}
