package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// `--debug`, `--log` and `--trace`: what is told beside the result.
class LogIT extends EndToEnd {
  private Outcome runWith(String... global) throws IOException {
    bundle.write(config);
    java.util.List<String> words = new java.util.ArrayList<>(java.util.List.of(global));
    words.addAll(java.util.List.of("run", "--bundle", bundle.path().toString(), id));
    return command(words.toArray(String[]::new)).run();
  }

  @Test
  void nothingIsToldUnasked() throws IOException {
    assertThat(runWith().succeeds().err()).isEmpty();
  }

  @Test
  void debugTellsOnStandardError() throws IOException {
    assertThat(runWith("--debug").succeeds().err()).contains("level=debug msg=");
  }

  @Test
  void debugGoesToTheLogAsJson() throws IOException {
    Path log = temp.resolve("log");
    assertThat(runWith("--debug", "--log", log.toString(), "--log-format", "json").succeeds().err())
        .isEmpty();
    assertThat(Files.readAllLines(log))
        .hasSizeGreaterThan(3)
        .allSatisfy(line -> {
          JsonNode record = Config.json(line);
          assertThat(record.get("level").asString()).isEqualTo("debug");
          assertThat(record.get("msg").asString()).isNotBlank();
          assertThat(record.get("time").asString()).matches("\\d{4}-\\d\\d-\\d\\dT.*");
        });
  }

  @Test
  @JrunOnly
  void debugTellsTheStepsWithTheirTimes() throws IOException {
    String err = runWith("--debug").succeeds().err();
    assertThat(err)
        .contains("config.json (")
        .contains("init is born: pid ")
        .containsPattern("starting /bin/true \\(\\d+ µs\\)");
  }

  @Test
  @JrunOnly
  void traceTellsEveryCallWithItsResult() throws IOException {
    String err = runWith("--trace").succeeds().err();
    assertThat(err)
        .containsPattern("client: #\\d+ clone3\\(.*CLONE_NEWPID.*\\) = \\d+\n")
        .containsPattern("client/1: #\\d+ pivot_root\\(\"\\.\", \"\\.\"\\) = 0\n")
        .containsPattern("engine: mkdirat\\(\\d+</sys/fs/cgroup>, \".*\\) = 0 <\\d+ µs>")
        .containsPattern("client/1: \\d+ calls <\\d+ µs>")
        .containsPattern("execve\\(\"/bin/true\"");
  }

  @Test
  @JrunOnly
  void traceNamesTheFailingCall() throws IOException {
    config.mount("{destination:'/mnt',type:'none',source:'/no/such',options:['bind']}");
    assertThat(runWith("--trace").fails().err())
        .containsPattern("client/1: #\\d+ open_tree\\(AT_FDCWD, \"/no/such\".*\\) = ENOENT");
  }

  @Test
  void aLogThatCannotBeWrittenIsToldBeforeAnythingIsDone() throws IOException {
    Path log = temp.resolve("missing/log");
    config.sh("echo ran");
    Outcome outcome = runWith("--log", log.toString());
    assertThat(outcome.exits(1).failsInOneLine(log.toString(), "no such file or directory").out())
        .isEmpty();
    command("--log", log.toString(), "list").run().exits(1);
  }

  @Test
  void aLogFileHasTheError() throws IOException {
    Path log = temp.resolve("log");
    command("--log", log.toString(), "--log-format", "json", "state", id).run().exits(1);
    assertThat(Config.json(Files.readString(log)).get("level").asString()).isEqualTo("error");
  }
}
