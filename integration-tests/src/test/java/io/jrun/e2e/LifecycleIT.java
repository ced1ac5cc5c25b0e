package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// `create`, `start`, `state`, `kill`, `delete`.
class LifecycleIT extends EndToEnd {

  @Test
  void createdThenRunningThenStoppedThenGone() throws IOException {
    config.args("sleep", "1000").set("/annotations", "{'org.example.key':'value'}");
    create();
    JsonNode created = state();
    assertThat(created.get("status").asString()).isEqualTo("created");
    assertThat(created.get("id").asString()).isEqualTo(id);
    assertThat(created.get("bundle").asString()).isEqualTo(bundle.path().toString());
    assertThat(created.get("rootfs").asString()).isEqualTo(bundle.rootfs().toString());
    assertThat(created.get("ociVersion").asString()).startsWith("1.");
    assertThat(created.at("/annotations/org.example.key").asString()).isEqualTo("value");
    assertThat(created.get("created").asString()).isNotBlank();
    assertThat(Path.of("/proc", created.get("pid").asString())).exists();
    runtime("start", id).succeeds();
    awaitStatus("running");
    assertThat(state().get("pid")).isEqualTo(created.get("pid"));
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    assertThat(state().get("pid").asInt()).isZero();
    runtime("delete", id).succeeds();
    assertThat(runtime("state", id).exits(1).err()).contains("does not exist");
    assertThat(cgroups()).isEmpty();
  }

  @Test
  void theProgramDoesNotRunBeforeStart() throws IOException {
    Path out = Files.createDirectory(temp.resolve("out"));
    config
        .mount("{destination:'/mnt',type:'bind',source:'%s',options:['bind','rw']}".formatted(out))
        .sh("echo ran > /mnt/ran");
    create();
    pause(200);
    assertThat(out.resolve("ran")).doesNotExist();
    runtime("start", id).succeeds();
    awaitStatus("stopped");
    assertThat(out.resolve("ran")).hasContent("ran");
    runtime("delete", id).succeeds();
  }

  @Test
  void createWritesThePidFile() throws IOException {
    Path pidFile = temp.resolve("pid");
    create("--pid-file", pidFile.toString());
    assertThat(Files.readString(pidFile)).isEqualTo(state().get("pid").asString());
    runtime("delete", "--force", id).succeeds();
  }

  @Test
  void startTwiceIsRefused() throws IOException {
    startSleeper();
    runtime("start", id).exits(1);
    assertThat(status()).isEqualTo("running");
    killAndDelete();
  }

  @Test
  void startOfAStoppedContainerIsRefused() throws IOException {
    createAndStart();
    awaitStatus("stopped");
    runtime("start", id).exits(1);
    runtime("delete", id).succeeds();
  }

  @Test
  void deleteOfARunningContainerIsRefused() throws IOException {
    startSleeper();
    assertThat(runtime("delete", id).failsInOneLine(id).err()).contains("not stopped");
    assertThat(status()).isEqualTo("running");
    killAndDelete();
  }

  @Test
  void deleteOfACreatedContainerRemovesIt() throws IOException {
    create();
    runtime("delete", id).succeeds();
    assertThat(ids()).isEmpty();
  }

  @Test
  void deleteForceKillsARunningContainer() throws IOException {
    long pid = startSleeper();
    runtime("delete", "--force", id).succeeds();
    assertThat(eventually(() -> !Files.exists(Path.of("/proc", String.valueOf(pid), "cwd"))))
        .as("init is gone")
        .isTrue();
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }

  @Test
  void deleteForceOfNothingSucceeds() {
    runtime("delete", "--force", id).succeeds();
    runtime("delete", id).failsInOneLine("does not exist");
  }

  @Test
  void killOfAStoppedContainerIsRefused() throws IOException {
    createAndStart();
    awaitStatus("stopped");
    assertThat(runtime("kill", id, "TERM").failsInOneLine().err()).contains("not running");
    runtime("delete", id).succeeds();
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "SIGTERM", "term", "15"})
  void signalsHaveNamesAndNumbers(String signal) throws IOException {
    trapped("TERM");
    runtime("kill", id, signal).succeeds();
    awaitStatus("stopped");
    assertThat(temp.resolve("out/got")).hasContent("TERM");
    runtime("delete", id).succeeds();
  }

  @Test
  void killSendsTermByDefault() throws IOException {
    trapped("TERM");
    runtime("kill", id).succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void killSendsOtherSignals() throws IOException {
    trapped("USR1");
    runtime("kill", id, "USR1").succeeds();
    awaitStatus("stopped");
    assertThat(temp.resolve("out/got")).hasContent("USR1");
    runtime("delete", id).succeeds();
  }

  @Test
  void anUnknownSignalIsRefused() throws IOException {
    startSleeper();
    assertThat(runtime("kill", id, "NOPE").failsInOneLine().err()).contains("unknown signal");
    killAndDelete();
  }

  @Test
  void aCreatedContainerCanBeKilled() throws IOException {
    create();
    runtime("kill", id, "KILL").succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void killAllReachesEveryProcess() throws IOException {
    config.sh("sleep 1001 & sleep 1002 & wait");
    createAndStart();
    assertThat(eventually(() -> processes().size() >= 3)).isTrue();
    runtime("kill", "--all", id, "KILL").succeeds();
    awaitStatus("stopped");
    assertThat(eventually(() -> processes().isEmpty())).isTrue();
    runtime("delete", id).succeeds();
  }

  @Test
  void killAllWithoutPidNamespaceLeavesNoProcess() throws IOException {
    config.namespaces("mount", "ipc", "uts", "network").sh("sleep 1001 & sleep 1002 & wait");
    createAndStart();
    assertThat(eventually(() -> processes().size() >= 3)).isTrue();
    runtime("delete", "--force", id).succeeds();
    assertThat(eventually(() -> processes().isEmpty())).isTrue();
  }

  @Test
  void anIdCanBeUsedAgain() throws IOException {
    for (int i = 0; i < 3; i++) {
      create();
      runtime("delete", "--force", id).succeeds();
    }
  }

  private void trapped(String signal) throws IOException {
    Path out = Files.createDirectory(temp.resolve("out"));
    config
        .mount("{destination:'/mnt',type:'bind',source:'%s',options:['bind','rw']}".formatted(out))
        .sh(
            "trap 'echo %s > /mnt/got; exit 0' %s; touch /mnt/ready; while :; do sleep 0.05; done"
                .formatted(signal, signal));
    createAndStart();
    assertThat(eventually(() -> Files.exists(out.resolve("ready")))).isTrue();
  }

  @Test
  void aConfigChangedAfterCreateHasNoEffect() throws IOException {
    Path file = Files.createDirectory(temp.resolve("told")).resolve("file");
    config
        .mount(
            "{destination:'/mnt',type:'bind',source:'%s',options:['bind','rw']}"
                .formatted(file.getParent()))
        .sh("echo first > /mnt/file");
    create();
    config.sh("echo second > /mnt/file");
    bundle.write(config);
    runtime("start", id).succeeds();
    awaitStatus("stopped");
    assertThat(Files.readString(file)).isEqualTo("first\n");
  }

  /// The first process of a pid namespace gets no signal that it does not handle.
  @ParameterizedTest
  @ValueSource(strings = {"HUP", "INT", "QUIT", "TERM"})
  void aSignalEndsACreatedContainer(String signal) throws IOException {
    create();
    runtime("kill", id, signal).succeeds();
    assertThat(eventually(() -> status().equals("stopped"))).isTrue();
    runtime("delete", id).succeeds();
  }

  /// What ends a container that waits does not end its program, which handles nothing.
  @Test
  void aProgramThatHandlesNoSignalIsNotEnded() throws IOException {
    startSleeper();
    runtime("kill", id, "TERM").succeeds();
    assertThat(execSh("grep SigCgt /proc/1/status").text()).endsWith("0000000000000000");
    assertThat(status()).isEqualTo("running");
    killAndDelete();
  }

  /// Without a pid namespace of their own nothing else ends with init.
  @Test
  void killEndsAllThatShareThePidsOfOthers() throws IOException {
    config.namespaces("mount", "ipc", "uts", "network").sh("sleep 1000 & wait");
    createAndStart();
    assertThat(eventually(() -> processes().size() == 2)).isTrue();
    runtime("kill", id, "KILL").succeeds();
    assertThat(eventually(() -> processes().isEmpty())).isTrue();
    if (RUNTIME.isJrun()) runtime("kill", id, "KILL").failsInOneLine("container not running");
    runtime("delete", id).succeeds();
  }
}
