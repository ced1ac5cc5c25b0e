package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Wrong uses, and what is said about them.
class ErrorsIT extends EndToEnd {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "create", "run", "start", "state", "kill", "delete", "exec", "pause", "resume", "ps",
        "update", "events"
      })
  void noArguments(String command) {
    runtime(command).fails();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "create", "run", "start", "state", "kill", "delete", "exec", "pause", "resume", "list",
        "spec"
      })
  void anUnknownFlag(String command) {
    assertThat(runtime(command, "--no-such-flag", "x").fails().err()).contains("no-such-flag");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "state", "kill", "delete", "pause", "resume", "ps"})
  void anUnknownContainer(String command) {
    runtime(command, id).failsInOneLine("does not exist");
  }

  @Test
  void tooManyArguments() {
    runtime("state", "a", "b").fails();
    runtime("delete", "a", "b").fails();
  }

  static List<String> badIds() {
    return List.of("", ".", "..", "a/b", "../x", "x y", "x\ny", "ü", "x".repeat(1025));
  }

  @ParameterizedTest
  @MethodSource("badIds")
  void aBadId(String bad) throws IOException {
    bundle.write(config);
    command("create", "-b", bundle.path().toString(), bad).run().fails().exits(1);
    assertThat(ids()).isEmpty();
    runtime("state", bad).exits(1);
  }

  @Test
  void anIdInUse() throws IOException {
    create();
    assertThat(onBundle("create").run().failsInOneLine().err()).contains("exist");
    assertThat(status()).isEqualTo("created");
    runtime("delete", "--force", id).succeeds();
  }

  @Test
  void noBundle() {
    assertThat(runtime("create", "-b", temp + "/none", id).failsInOneLine().err())
        .contains("no such file or directory");
  }

  @Test
  void noConfig() throws IOException {
    Files.delete(bundle.path().resolve("config.json"));
    runtime("run", "-b", bundle.path().toString(), id).failsInOneLine("config.json");
  }

  static Stream<String> brokenTexts() {
    return Stream.of(
        "", "{", "[]", "nonsense", "{\"ociVersion\": 1}", "{\"process\":{\"args\":\"sh\"}}");
  }

  @ParameterizedTest
  @MethodSource("brokenTexts")
  void configThatIsNotJsonOfTheRightShape(String text) throws IOException {
    Files.writeString(bundle.path().resolve("config.json"), text);
    runtime("run", "-b", bundle.path().toString(), id).exits(1);
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }

  @Test
  void aConfigWithoutAProcess() throws IOException {
    config.remove("", "process");
    onBundle("create").run().exits(1);
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "/process/args|[]",
        "/process/env|['NOVALUE']",
        "/process/cwd|''",
        "/process/cwd|'relative'",
        "/process/rlimits|[{type:'RLIMIT_NONSENSE',soft:1,hard:1}]",
        "/root/path|'no-rootfs'",
        "/linux/namespaces|[{type:'nonsense'}]",
        "/linux/namespaces|[{type:'mount'},{type:'mount'}]",
        "/linux/rootfsPropagation|'nonsense'",
        "/process/user/uid|4294967296",
        "/process/user/umask|-1",
        "/process/user/additionalGids|['1']",
        "/process/oomScoreAdj|2147483648",
        "/process/args|['/bin/true\\u0000x']",
        "/root/path|'rootfs\\u0000'",
        "/mounts|[null]",
        "/mounts/-|{destination:'/',type:'tmpfs',source:'tmpfs'}",
        "/mounts/-|{destination:'/m\\u0000x',type:'tmpfs',source:'tmpfs'}",
        "/mounts/-|{destination:'/m',type:'tmpfs',source:'tmpfs',options:['a\\u0000b']}",
        "/hooks|{createRuntime:[{path:'true'}]}",
        "/hooks|{createRuntime:[{path:'/bin/true',args:['a\\u0000b']}]}",
        "/linux/devices|[{path:'/',type:'c',major:1,minor:3}]",
        "/linux/devices|[{path:'/dev/x',type:'c',major:-1,minor:3}]",
        "/linux/netDevices|{'a/b':{}}",
        "/linux/cgroupsPath|'/e2e\\u0000b'",
        "/linux/resources/memory|{limit:1e30}",
        "/linux/resources/pids|{limit:1.5}",
        "/linux/resources/hugepageLimits|[{pageSize:'../x',limit:1}]",
        "/linux/sysctl|{'net/ipv4/../../vm/swappiness':'1'}",
        "/linux/sysctl|{'net.ipv4.ip_forward\\u0000':'1'}",
        "/linux/seccomp|{defaultAction:'SCMP_ACT_ALLOW',syscalls:[{names:['mkdir'],action:'NONSENSE'}]}",
      })
  void configWithABadValue(String pointer, String value) throws IOException {
    config.set(pointer, value);
    Outcome outcome = run();
    assertThat(outcome.status()).as("%s", outcome).isEqualTo(1);
    assertThat(outcome.err()).isNotBlank();
    assertThat(processes()).isEmpty();
  }

  /// What went wrong, on what, and the kernel's word for it.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "/root/path|'none'|rootfs|/none|no such file or directory",
        "/mounts/-|{destination:'/x',type:'bind',source:'/no/such',options:['bind']}"
            + "|mount|/no/such|no such file or directory",
        "/mounts/-|{destination:'/x',type:'tmpfs',source:'tmpfs',options:['size=abc']}"
            + "|error mounting|/x|invalid argument",
        "/mounts/-|{destination:'/tmp',type:'bind',source:'/etc/passwd',options:['bind']}"
            + "|error mounting|/tmp|not a directory",
        "/mounts/-|{destination:'/etc/passwd',type:'bind',source:'/tmp',options:['bind']}"
            + "|error mounting|/etc/passwd|not a directory",
        "/mounts/-|{destination:'/x',type:'nosuchfs',source:'none'}"
            + "|error mounting|/x|no such device",
        "/linux/sysctl|{'net.nonsense':'1'}|sys|nonsense|no such file or directory",
        "/process/cwd|'/etc/passwd'|director|/etc/passwd|not a directory",
        "/process/args|['/etc/passwd']|exec|/etc/passwd|permission denied",
        "/hooks|{prestart:[{path:'/no/such'}]}|hook|/no/such|no such file or directory",
      })
  void aMistakeIsToldWithItsPlace(
      String pointer, String value, String step, String place, String reason) throws IOException {
    config.set(pointer, value);
    assertThat(run().failsInOneLine().err()).contains(step, place, reason);
    assertThat(processes()).isEmpty();
  }

  @Test
  @JrunOnly // the first words are those of runc 1.5, the last ones those of earlier ones
  void aDirectoryIsNoProgram() throws IOException {
    config.args("/etc");
    run().failsInOneLine("exec: ", "/etc", "is a directory: permission denied");
  }

  @Test
  @JrunOnly // runc 1.3 names no destination
  void aSourceThatIsMissingIsToldWithItsDestination() throws IOException {
    config.set("/mounts/-", "{destination:'/x',type:'bind',source:'/no/such',options:['bind']}");
    run().failsInOneLine("error mounting", "/no/such", " to rootfs at ", "/x");
  }

  @Test
  void aHostnameNeedsItsNamespace() throws IOException {
    config.namespaces("pid", "mount", "ipc", "network").setText("/hostname", "x");
    run().exits(1);
  }

  @Test
  void logFileInJson() throws IOException {
    Path log = temp.resolve("log");
    command("--log", log.toString(), "--log-format", "json", "state", id).run().exits(1);
    List<String> lines = Files.readAllLines(log);
    assertThat(lines).isNotEmpty();
    JsonNode last = Config.json(lines.getLast());
    assertThat(last.get("level").asString()).isEqualTo("error");
    assertThat(last.get("msg").asString()).contains("does not exist");
    assertThat(last.get("time").asString()).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d.*");
  }

  @Test
  void logFileInText() throws IOException {
    Path log = temp.resolve("log");
    command("--log", log.toString(), "state", id).run().exits(1);
    assertThat(Files.readString(log))
        .contains("level=error")
        .contains("msg=")
        .contains("does not exist");
  }

  @Test
  void anUnknownLogFormat() {
    assertThat(command("--log-format", "xml", "list").run().fails().err()).contains("xml");
  }

  @Test
  void anUnknownFormat() {
    runtime("list", "-f", "xml").fails();
  }

  @Test
  void versionIsTold() {
    Outcome outcome = runtime("--version").succeeds();
    assertThat(outcome.lines().getFirst()).matches("\\w+ version \\S+.*");
    assertThat(outcome.out()).contains("spec: 1.");
  }

  @Test
  void helpNamesTheCommands() {
    assertThat(runtime("--help").succeeds().out())
        .contains("create", "delete", "exec", "kill", "list", "run", "start", "state");
  }
}
