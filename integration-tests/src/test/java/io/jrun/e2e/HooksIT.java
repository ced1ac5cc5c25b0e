package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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
    for (String kind : List.of("prestart", "createRuntime", "poststart"))
      assertThat(told(kind).get("pid").asString()).as(kind).isEqualTo(pid);
    for (String kind : List.of("createContainer", "startContainer"))
      assertThat(told(kind).get("pid").asInt()).as(kind).isEqualTo(1);
  }

  @Test
  void eachKindIsInItsNamespaces() throws IOException {
    for (String kind : KINDS)
      hook(kind, "readlink /proc/self/ns/uts > %s/%s".formatted(outIn(kind), kind));
    config.sh("readlink /proc/self/ns/uts > /mnt/own");
    run().succeeds();
    String own = Files.readString(out.resolve("own"));
    String host = Files.readSymbolicLink(Path.of("/proc/self/ns/uts")) + "\n";
    assertThat(own).isNotEqualTo(host);
    for (String kind : KINDS)
      assertThat(out.resolve(kind)).as(kind).hasContent(kind.endsWith("Container") ? own : host);
  }

  private JsonNode told(String kind) throws IOException {
    return Config.json(Files.readString(out.resolve(kind)));
  }

  private String hookStatus(String kind) throws IOException {
    return told(kind).get("status").asString();
  }

  @Test
  void thoseOfTheContainerAreToldThePidThatTheySee() throws IOException {
    config.namespaces("mount", "ipc", "uts"); // with the caller's pids
    for (String kind : List.of("createRuntime", "createContainer", "startContainer"))
      hook(kind, "cat > %s/%s".formatted(outIn(kind), kind));
    config.sh("echo $$ > /mnt/own");
    run().succeeds();
    for (String kind : List.of("createRuntime", "createContainer", "startContainer"))
      assertThat(told(kind).get("pid").asString() + "\n")
          .as(kind)
          .isEqualTo(Files.readString(out.resolve("own")));
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
  void thoseOfTheRuntimeHaveTheCallersEnvironmentWhereTheyHaveNone() throws IOException {
    for (String kind : List.of("createRuntime", "poststart", "poststop"))
      config.set(
          "/hooks/" + kind + "/-",
          "{path:'/bin/sh',args:['sh','-c','echo $FROM_THE_CALLER >> %s/order']}".formatted(out));
    onBundle("run").with("FROM_THE_CALLER", "it").run().succeeds();
    assertThat(log().lines()).containsExactly("it", "it", "it");
  }

  @ParameterizedTest
  @ValueSource(strings = {"createRuntime", "createContainer", "startContainer"})
  void standardInputAndOutputCanBeOpenedByName(String kind) throws IOException {
    config.set("/process/user", "{uid:1000,gid:1000}");
    Files.setPosixFilePermissions(out, PosixFilePermissions.fromString("rwxrwxrwx"));
    hook(
        kind,
        "cat /dev/stdin > %s/told; echo one > /dev/stdout; echo two > /dev/stderr; exit 3"
            .formatted(outIn(kind)));
    assertThat(run().fails().err()).contains("one").contains("two").contains("3");
    assertThat(told("told").get("id").asString()).isEqualTo(id);
  }

  @Test
  void aStateThatIsNotReadHoldsNobodyUp() throws IOException {
    config.setText("/annotations/large", "x".repeat(1_000_000));
    hook("prestart", "head -c 1000000 /dev/zero; wc -c > " + out + "/order");
    hook("createRuntime", "exit 0");
    run().succeeds();
    assertThat(Integer.parseInt(log().strip())).isGreaterThan(1_000_000);
    config.set("/hooks", "{prestart:[{path:'/bin/sleep',args:['sleep','1000'],timeout:1}]}");
    run().fails();
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
    hook("poststop", "echo poststop >> " + out + "/order");
    config.sh("echo ran > /mnt/ran");
    Outcome outcome = run().fails();
    assertThat(outcome.err()).contains("hook");
    assertThat(out.resolve("ran")).doesNotExist();
    assertThat(processes()).isEmpty();
    assertThat(log()).isEqualTo("poststop\n");
  }

  @Test
  void whatFailsBehindHooksRunsThoseAfterTheEnd() throws IOException {
    hook("createRuntime", "echo createRuntime >> " + out + "/order");
    hook("poststop", "echo poststop >> " + out + "/order");
    config.args("/no/such/program");
    run().fails();
    assertThat(log().lines()).containsExactly("createRuntime", "poststop");
  }

  /// runc and crun write down that there is a container when its hooks have run.
  @ParameterizedTest
  @ValueSource(strings = {"prestart", "createRuntime", "createContainer"})
  @JrunOnly
  void aClientThatIsKilledMeanwhileLeavesThoseAfterTheEndToDelete(String kind) throws IOException {
    config.namespaces("mount", "ipc", "uts"); // with the caller's pids
    hook("prestart", "echo $PPID > %s/client".formatted(out));
    hook(kind, "kill -9 $(cat %s/client)".formatted(out));
    hook("poststop", "cat > %s/poststop; echo poststop >> %s/order".formatted(out, out));
    config.args("sleep", "1000");
    for (String command : List.of("create", "run")) {
      id = newId();
      onBundle(command).run().exits(128 + 9);
      assertThat(log()).isEmpty();
      awaitStatus("stopped");
      runtime("delete", id).succeeds();
      assertThat(log()).isEqualTo("poststop\n");
      assertThat(told("poststop").get("id").asString()).isEqualTo(id);
      assertThat(hookStatus("poststop")).isEqualTo("stopped");
      assertThat(ids()).isEmpty();
      Files.delete(out.resolve("order"));
    }
  }

  @Test
  void aFailureOfAStartContainerHookStopsTheContainer() throws IOException {
    hook("startContainer", "exit 3");
    hook("poststop", "echo poststop >> " + out + "/order");
    config.sh("echo ran > /mnt/ran");
    create();
    // runc and crun have start succeed: their init runs these hooks later
    if (RUNTIME.isJrun())
      assertThat(runtime("start", id).fails().err()).contains("startContainer hook #0");
    else runtime("start", id);
    awaitStatus("stopped");
    runtime("start", id).fails();
    assertThat(out.resolve("ran")).doesNotExist();
    runtime("delete", id).succeeds();
    assertThat(log()).isEqualTo("poststop\n");
  }

  @Test
  void aFailureAfterTheEndIsOnlyAWarning() throws IOException {
    hook("poststop", "exit 3");
    run().succeeds();
  }

  @Test
  @JrunOnly
  void theOthersAfterItRunAllTheSame() throws IOException {
    hook("poststop", "echo 1 >> " + out + "/order; exit 3");
    hook("poststop", "echo 2 >> " + out + "/order");
    run().succeeds();
    assertThat(log().lines()).containsExactly("1", "2");
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
  @ValueSource(strings = {"createRuntime", "createContainer", "startContainer"})
  void soDoesOneThatHasClosedItsOutput(String kind) throws IOException {
    config.set(
        "/hooks/" + kind + "/-",
        "{path:'/bin/sh',args:['sh','-c','exec sleep 1000 >/dev/null 2>&1'],timeout:1}");
    assertThat(run().fails().err()).contains("hook");
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
