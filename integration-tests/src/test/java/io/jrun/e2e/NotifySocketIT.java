package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// $NOTIFY_SOCKET: the container says that it is ready, and the service manager, played by python3,
/// hears it from the runtime with the pid of the container.
class NotifySocketIT extends EndToEnd {
  private static final String MANAGER =
      """
      import os, socket, sys
      path = sys.argv[1]
      manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      manager.bind('\\0' + path[1:] if path.startswith('@') else path)
      print('listening', flush=True)
      while True:
          text, fds, _, _ = socket.recv_fds(manager, 4096, 4)
          print(text.decode().strip(), flush=True)
          for fd in fds: os.close(fd)
          if fds: break
      """;

  private static final String READY =
      """
      import os, signal, socket, sys, time
      signal.signal(signal.SIGTERM, lambda *_: sys.exit())
      s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      s.sendto(b'STATUS=not yet\\n', os.environ['NOTIFY_SOCKET'])
      time.sleep(0.3)
      s.sendto(b'READY=1\\n', os.environ['NOTIFY_SOCKET'])
      time.sleep(1000)
      """;

  @BeforeEach
  void bringPython() throws IOException {
    assumeTrue(
        Files.isSymbolicLink(Path.of("/lib")) && Files.exists(Path.of("/usr/bin/python3")),
        "no python3 in a merged /usr");
    config.mount("{destination:'/usr',type:'bind',source:'/usr',options:['bind','ro']}");
    for (String name : List.of("lib", "lib64"))
      Files.createSymbolicLink(bundle.rootfs().resolve(name), Path.of("usr", name));
    Files.createDirectories(bundle.rootfs().resolve("run"));
    config.args("python3", "-c", READY);
  }

  private Command.Running manager(String socket) throws IOException {
    Command.Running manager = Command.of("python3", "-c", MANAGER, socket).start();
    assertThat(eventually(() -> said(manager).contains("listening"))).isTrue();
    return manager;
  }

  private static String said(Command.Running running) {
    try {
      return running.outputSoFar();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"path", "abstract"})
  void aDetachedRunReturnsWhenTheContainerIsReady(String kind) throws IOException {
    String socket = kind.equals("path") ? temp.resolve("manager").toString() : "@" + tag;
    Command.Running manager = manager(socket);
    Outcome run = onBundle("run", "--detach").with("NOTIFY_SOCKET", socket).run();
    String pid = state().get("pid").asString();
    assertThat(manager.finish().succeeds().lines())
        .containsExactly("listening", "READY=1", "MAINPID=" + pid, "BARRIER=1");
    run.succeeds();
    killAndDelete();
    assertThat(root.resolve(id)).doesNotExist();
  }

  @Test
  void startReturnsWhenTheContainerIsReady() throws IOException {
    String socket = temp.resolve("manager").toString();
    onBundle("create").with("NOTIFY_SOCKET", socket).run().succeeds();
    Command.Running manager = manager(socket);
    command("start", id).with("NOTIFY_SOCKET", socket).run().succeeds();
    assertThat(manager.finish().lines())
        .contains("READY=1", "MAINPID=" + state().get("pid").asString());
    killAndDelete();
  }

  @Test
  void aUnitOfSystemdsIsUpWhenTheContainerIsReady() throws IOException {
    assumeTrue(SystemdTest.isSystemd(), "needs systemd as PID 1 (make vm-test)");
    String unit = tag + ".service";
    List<String> words =
        new ArrayList<>(
            List.of("systemd-run", "--quiet", "--service-type=notify", "--unit=" + unit));
    words.addAll(onBundle("run").words());
    Command.of(words).run().succeeds();
    try {
      assertThat(SystemdTest.show(unit))
          .containsEntry("ActiveState", "active")
          .containsEntry("MainPID", state().get("pid").asString());
    } finally {
      Command.of("systemctl", "stop", unit).run();
    }
    assertThat(eventually(() -> ids().isEmpty())).isTrue();
    assertThat(SystemdTest.show(unit)).containsEntry("ActiveState", "inactive");
  }

  @Test
  @JrunOnly // runc waits for ever
  void aContainerThatEndsIsNotWaitedFor() throws IOException {
    config.args("sh", "-c", "exit 4");
    onBundle("run").with("NOTIFY_SOCKET", temp.resolve("none").toString()).run().exits(4);
    assertThat(ids()).isEmpty();
  }

  @Test
  void withoutTheVariableThereIsNoSocket() throws IOException {
    assertThat(runSh("echo $NOTIFY_SOCKET; ls /run").succeeds().text()).isEmpty();
  }
}
