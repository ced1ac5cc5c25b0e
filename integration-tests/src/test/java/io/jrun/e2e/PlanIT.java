package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// `plan`: what run would do, told and not done.
@JrunOnly
class PlanIT extends EndToEnd {
  private Outcome plan() throws IOException {
    bundle.write(config);
    return runtime("plan", "--bundle", bundle.path().toString(), id);
  }

  @Test
  void theCallsOfARunAreToldFromTheConfigToTheLastDirectory() throws IOException {
    String calls = plan().succeeds().out();
    assertThat(calls)
        .contains("client: #3 openat(AT_FDCWD, \"config.json\"")
        .containsPattern("clone3\\(\\{flags=.*CLONE_NEWPID")
        .containsPattern("engine: mkdirat\\(\\d+</sys/fs/cgroup>, \".*" + id)
        .containsPattern(
            "(?s)engine: unshare\\(CLONE_NEWNET\\).*: #\\d+ setns\\(passed#\\d, CLONE_NEWNET\\)")
        .contains("pivot_root(\".\", \".\")")
        .containsPattern("fsopen\\(\"proc\"")
        .contains("execve(\"/bin/true\"")
        .endsWith("engine: unlinkat(AT_FDCWD, \"" + root.resolve(id) + "\", 512)\n");
  }

  /// Whatever the engine has done before.
  @Test
  void itIsTheSameEachTime() throws IOException {
    String first = plan().succeeds().out();
    run().succeeds();
    assertThat(withoutTimes(plan().succeeds().out())).isEqualTo(withoutTimes(first));
  }

  private static String withoutTimes(String calls) {
    return calls.replaceAll("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z", "TIME");
  }

  @Test
  void nothingIsDone() throws IOException {
    config.writableRoot().mount("{destination:'/not/there',type:'tmpfs',source:'tmpfs'}");
    config.set("/hooks/prestart/-", "{path:'/bin/touch',args:['touch','%s/ran']}".formatted(temp));
    plan().succeeds();
    assertThat(root).doesNotExist();
    assertThat(cgroups()).isEmpty();
    assertThat(bundle.rootfs().resolve("not")).doesNotExist();
    assertThat(temp.resolve("ran")).doesNotExist();
  }

  @Test
  void mountsOnTheHostAreToldToo() throws IOException {
    config
        .namespaces("pid", "network", "ipc", "uts")
        .remove("/linux", "maskedPaths")
        .remove("/linux", "readonlyPaths");
    assertThat(plan().succeeds().out()).contains("client: #1 move_mount(");
    assertThat(root).doesNotExist();
  }

  @Test
  void itIsWhatRunDoes() throws IOException {
    theSameAsRun();
  }

  /// What is on the way to a mount's place decides how init goes there.
  @Test
  void whatTheRootFileSystemHasIsLookedAt() throws IOException {
    config.writableRoot().mount("{destination:'/linked',type:'tmpfs',source:'tmpfs'}");
    Files.createDirectories(bundle.rootfs().resolve("there"));
    Files.createSymbolicLink(bundle.rootfs().resolve("linked"), Path.of("there"));
    theSameAsRun();
    assertThat(plan().succeeds().out()).contains("there");
  }

  private void theSameAsRun() throws IOException {
    bundle.write(config);
    String traced =
        command("--trace", "run", "-b", bundle.path().toString(), id).run().succeeds().err();
    String planned = plan().succeeds().out();
    for (String call :
        new String[] {"move_mount(", "mount_setattr(", "symlinkat(", "capset(", "mknodat("})
      assertThat(count(planned, call)).as(call).isPositive().isEqualTo(count(traced, call));
  }

  private static long count(String text, String call) {
    return text.lines()
        .filter(line -> line.contains(" " + call) && !line.endsWith(" = skipped"))
        .count();
  }

  @Test
  void whatCannotRunIsToldUpToThere() throws IOException {
    config.args("no-such-program");
    Outcome outcome = plan().exits(1);
    assertThat(outcome.out()).contains("pivot_root(");
    assertThat(outcome.err()).contains("executable file not found in $PATH");
  }

  @Test
  void anInvalidConfigIsRefused() throws IOException {
    config.setText("/ociVersion", "3.0");
    assertThat(plan().exits(1).err()).contains("ociVersion");
  }

  @Test
  void aTerminalAndAUserNamespaceArePlannedToo() throws IOException {
    config
        .set("/process/terminal", "true")
        .set("/linux/namespaces/-", "{type:'user'}")
        .set("/linux/uidMappings", "[{containerID:0,hostID:1000,size:10}]")
        .set("/linux/gidMappings", "[{containerID:0,hostID:1000,size:10}]");
    assertThat(plan().succeeds().out())
        .contains("unshare(CLONE_NEWUSER)")
        .containsPattern("client: #\\d+ write\\(#\\d+, \"0 1000 10\\\\n\"")
        .contains("TIOCGPTPEER");
    assertThat(temp.toFile().list()).containsExactly("bundle");
  }

  @Test
  void aMissingRootIsNamedAsByRun() throws IOException {
    config.set("/root/path", "'gone'");
    bundle.write(config);
    String missing = bundle.path().resolve("gone").toString();
    for (String command : new String[] {"run", "plan"}) {
      runtime(command, "--bundle", bundle.path().toString(), id)
          .failsInOneLine("rootfs " + missing, "ENOENT");
    }
  }

  @Test
  void networksAndSandboxesArePlannedToo() throws IOException {
    String plugins = temp.resolve("plugins").toString();
    Files.createDirectories(temp.resolve("net.d"));
    Files.createDirectories(Path.of(plugins));
    for (String name : new String[] {"wire", "map"}) {
      Files.writeString(Path.of(plugins, name), "#!/bin/sh\ntouch " + temp + "/ran\n");
    }
    Files.writeString(
        temp.resolve("net.d/1.conflist"),
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":["
            + "{\"type\":\"wire\",\"mtu\":1400},{\"type\":\"map\"}]}");
    bundle.write(config);
    String[] words = {"plan", "--bundle", bundle.path().toString(), "--network", "n", id};
    String calls =
        command(words)
            .with("NETCONFPATH", temp.resolve("net.d").toString())
            .with("CNI_PATH", plugins)
            .run()
            .succeeds()
            .out();
    assertThat(calls)
        .containsPattern("plugin: ADD .* eth0 /proc/\\d+/ns/net: .*/wire .*\"mtu\":1400")
        .containsPattern("(?s)plugin: ADD .*/map.*plugin: DEL .*/map\n.*plugin: DEL .*/wire")
        .contains("\"etc/hosts\"", "openat(16777");
    assertThat(root).doesNotExist();
    assertThat(temp.resolve("ran")).doesNotExist();
    words[4] = "missing";
    assertThat(command(words).with("NETCONFPATH", temp + "/net.d").run().exits(1).err())
        .contains("no net configuration with name");

    assertThat(runtime("plan", "-b", bundle.path().toString(), "--sandbox", "s", id).exits(1).err())
        .contains("sandbox s does not exist");
    String sandbox = newId();
    runtime("sandbox", "run", sandbox).succeeds();
    try {
      assertThat(
              runtime("plan", "-b", bundle.path().toString(), "--sandbox", sandbox, id)
                  .succeeds()
                  .out())
          .containsPattern("openat\\(AT_FDCWD, \"/proc/\\d+/ns/net\"")
          .containsPattern("setns\\(#\\d+, CLONE_NEWUTS")
          .contains("\"/dev/shm\"", "\"" + root.resolve(sandbox) + "/hosts\"");
      assertThat(root.toFile().list()).containsExactly(sandbox);
    } finally {
      runtime("sandbox", "rm", sandbox).succeeds();
    }
  }
}
