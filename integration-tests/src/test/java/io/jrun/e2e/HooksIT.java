package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// The six kinds of hooks.
class HooksIT extends EndToEnd {

  private static final List<String> KINDS =
      List.of(
          "prestart",
          "createRuntime",
          "createContainer",
          "startContainer",
          "poststart",
          "poststop");

  @SuppressWarnings("NullAway.Init")
  private Path out;

  @BeforeEach
  void makeOutput() throws IOException {
    out = Files.createDirectory(temp.resolve("out"));
    config.mount(
        "{destination:'/mnt',type:'bind',source:'%s',options:['bind','rw']}".formatted(out));
  }

  /// Adds a hook that runs a shell script; a startContainer hook sees the output directory as /mnt.
  private void hook(String kind, String script) {
    config.set(
        "/hooks/" + kind + "/-",
        "{path:'/bin/sh',args:['sh','-c','" + script + "'],env:['PATH=/usr/bin:/bin']}");
  }

  private String outIn(String kind) {
    return kind.equals("startContainer") ? "/mnt" : out.toString();
  }

  private String log() throws IOException {
    return Files.exists(out.resolve("order")) ? Files.readString(out.resolve("order")) : "";
  }

  @Test
  void allRunInOrderWithTheStateOnStdin() throws IOException {
    for (String kind : KINDS) {
      hook(
          kind, "cat > %s/%s; echo %s >> %s/order".formatted(outIn(kind), kind, kind, outIn(kind)));
    }
    config.sh("echo process >> /mnt/order; sleep 1000");
    create();
    // runc before 1.2 or so runs poststart within create
    boolean early = !RUNTIME.isJrun() && log().contains("poststart");
    assertThat(log().lines().filter(kind -> !(early && kind.equals("poststart"))))
        .containsExactly("prestart", "createRuntime", "createContainer");
    String pid = state().get("pid").asString();
    runtime("start", id).succeeds();
    assertThat(eventually(() -> Files.exists(out.resolve("poststart")))).isTrue();
    killAndDelete();
    assertThat(log().lines())
        .containsExactlyInAnyOrder(
            "prestart",
            "createRuntime",
            "createContainer",
            "startContainer",
            "process",
            "poststart",
            "poststop");
    assertThat(log().lines().filter(kind -> !kind.equals("poststart")).toList().subList(0, 4))
        .containsExactly("prestart", "createRuntime", "createContainer", "startContainer");
    assertThat(log().lines().toList().getLast()).isEqualTo("poststop");
    for (String kind : KINDS) {
      JsonNode state = Config.json(Files.readString(out.resolve(kind)));
      assertThat(state.get("id").asString()).as(kind).isEqualTo(id);
      assertThat(state.get("bundle").asString()).as(kind).isEqualTo(bundle.path().toString());
      assertThat(state.get("ociVersion").asString()).as(kind).startsWith("1.");
    }
    if (!early) {
      assertThat(hookStatus("poststart")).isEqualTo("running");
    }
    assertThat(hookStatus("poststop")).isEqualTo("stopped");
    assertThat(Config.json(Files.readString(out.resolve("createRuntime"))).get("pid").asString())
        .isEqualTo(pid);
    assertThat(Config.json(Files.readString(out.resolve("poststart"))).get("pid").asString())
        .isEqualTo(pid);
  }

  private String hookStatus(String kind) throws IOException {
    return Config.json(Files.readString(out.resolve(kind))).get("status").asString();
  }

  @Test
  void severalOfAKindRunInTheirOrder() throws IOException {
    for (int i = 0; i < 5; i++) {
      hook("createRuntime", "echo " + i + " >> " + out + "/order");
    }
    run().succeeds();
    assertThat(log().lines()).containsExactly("0", "1", "2", "3", "4");
  }

  @Test
  void environmentIsTheHooksAlone() throws IOException {
    hook("createRuntime", "env > " + out + "/order");
    onBundle("run").with("LEAK", "host").run().succeeds();
    assertThat(log()).contains("PATH=/usr/bin:/bin").doesNotContain("LEAK");
  }

  @ParameterizedTest
  @ValueSource(strings = {"prestart", "createRuntime", "createContainer", "startContainer"})
  void aFailureBeforeTheProgramEndsTheContainer(String kind) throws IOException {
    hook(kind, "echo reason >&2; exit 3");
    config.sh("echo ran > /mnt/ran");
    Outcome outcome = run().fails();
    assertThat(outcome.err()).contains("hook");
    assertThat(out.resolve("ran")).doesNotExist();
    assertThat(processes()).isEmpty();
  }

  @Test
  void aFailureAfterTheEndIsOnlyAWarning() throws IOException {
    hook("poststop", "exit 3");
    run().succeeds();
  }

  @Test
  @JrunOnly
  void theCallerSeesTheWarning() throws IOException {
    hook("poststop", "echo a reason; exit 3");
    assertThat(run().succeeds().err())
        .contains("level=warning")
        .contains("poststop hook #0: exit status 3")
        .contains("a reason");
    startSleeper();
    Path log = temp.resolve("log");
    command("--log", log.toString(), "--log-format", "json", "delete", "--force", id)
        .run()
        .succeeds();
    assertThat(Config.json(Files.readString(log)).get("level").asString()).isEqualTo("warning");
  }

  @Test
  void aFailureAfterTheStartStopsTheContainer() throws IOException {
    hook("poststart", "exit 3");
    config.args("sleep", "1000");
    Outcome created = onBundle("create").run();
    Outcome failed = created.status() == 0 ? runtime("start", id) : created;
    assertThat(failed.fails().err()).contains("hook");
    assertThat(eventually(() -> processes().isEmpty())).isTrue();
    runtime("delete", "--force", id);
    id = newId();
    run().fails();
  }

  @Test
  void aMissingHookProgramFails() throws IOException {
    config.set("/hooks/createRuntime/-", "{path:'/no/such/hook'}");
    assertThat(run().fails().err()).contains("/no/such/hook");
  }

  @Test
  void aHookThatTakesTooLongFails() throws IOException {
    config.set("/hooks/createRuntime/-", "{path:'/bin/sleep',args:['sleep','1000'],timeout:1}");
    run().fails();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void oneOfTheContainerHasTheProgramsEnvironmentWhereItHasNone(boolean inTwoSteps)
      throws IOException {
    config
        .env("ONE=two")
        .set(
            "/hooks/startContainer/-",
            "{path:'/bin/sh',args:['sh','-c','echo $ONE $HOME >> /mnt/order']}");
    if (inTwoSteps) {
      create();
      runtime("start", id).succeeds();
      awaitStatus("stopped");
    } else {
      run().succeeds();
    }
    assertThat(log()).isEqualTo("two /root\n");
  }

  @Test
  void createContainerHooksAreInTheDirectoryThatBecomesTheRoot() throws IOException {
    hook("createContainer", "pwd > " + out + "/order; cat etc/hostname >> " + out + "/order");
    run().succeeds();
    assertThat(log().lines()).containsExactly(bundle.path() + "/rootfs", "busybox");
  }
}
