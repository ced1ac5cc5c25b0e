package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// `checkpoint` and `restore`: a container goes on where it was.
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
class CheckpointIT extends CheckpointTest {
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
  void aSourceMayBeRelativeToTheBundle() throws IOException {
    Files.writeString(
        Files.createDirectory(bundle.path().resolve("beside")).resolve("f"), "content");
    config.mount("{destination:'/a',type:'bind',source:'./beside',options:['bind']}");
    // CRIU looks by its path for the mount of a source that has peers, as all have below systemd
    String path = bundle.path().toString();
    boolean hasPeers =
        Command.of("findmnt", "--noheadings", "--output", "PROPAGATION", "--target", path)
            .run()
            .succeeds()
            .text()
            .contains("shared");
    if (!hasPeers) Command.of("mount", "--bind", "--make-shared", path, path).run().succeeds();
    try {
      startCounting();
      checkpoint().succeeds();
      restore();
      assertThat(runtime("exec", id, "cat", "/a/f").succeeds().text()).isEqualTo("content");
      killAndDelete();
    } finally {
      if (!hasPeers) Command.of("umount", "--lazy", path).run().succeeds();
    }
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
