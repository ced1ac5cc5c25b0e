package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
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
        .contains("client: #2 openat(AT_FDCWD, \"config.json\"")
        .containsPattern("clone3\\(\\{flags=.*CLONE_NEWPID")
        .containsPattern("engine: mkdirat\\(AT_FDCWD, \"/sys/fs/cgroup/.*" + id)
        .contains("pivot_root(\".\", \".\")")
        .containsPattern("fsopen\\(\"proc\"")
        .contains("execveat(AT_FDCWD, \"/bin/true\"")
        .endsWith("engine: unlinkat(AT_FDCWD, \"" + root.resolve(id) + "\", 512)\n");
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
  void itIsWhatRunDoes() throws IOException {
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
    assertThat(Files.list(temp).map(path -> path.getFileName().toString()))
        .containsExactly("bundle");
  }
}
