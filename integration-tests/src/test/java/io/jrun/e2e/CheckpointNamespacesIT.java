package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// The namespaces of a container that is saved.
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
class CheckpointNamespacesIT extends CheckpointTest {
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

  /// CRIU leaves out what is in the network namespace, which is made anew with `lo` alone.
  @Test
  @JrunOnly // runc leaves lo down
  void aNetworkNamespaceIsMadeEmptyAgain() throws IOException {
    config.namespaces("pid", "mount", "ipc", "uts", "network");
    startCounting();
    checkpoint("--empty-ns", "network").succeeds();
    int saved = count();
    restore("--empty-ns", "network");
    awaitCountAbove(saved);
    assertThat(execSh("cat /proc/net/dev | grep -c :; ifconfig lo | grep -o UP").lines())
        .containsExactly(devicesOfANewNamespace(), "UP");
  }

  /// `lo`, and those that some kernels give each namespace for tunnels.
  private static String devicesOfANewNamespace() {
    return Command.of("unshare", "-n", "grep", "-c", ":", "/proc/net/dev").run().succeeds().text();
  }

  @Test
  void aJoinedPidNamespaceIsJoinedAgain() throws IOException {
    assumeFeature("external_net_ns");
    String other = newId();
    Bundle second = Bundle.create(temp.resolve("other"));
    Config sleeps = Config.read(bundle.path().resolve("config.json"));
    sleeps
        .set("/process/terminal", "false")
        .env("E2E_TAG=" + tag)
        .sh("while :; do sleep 0.2; done");
    second.write(sleeps);
    quietly(command("run", "-d", "--bundle", second.path().toString(), other)).succeeds();
    String pid = Config.json(runtime("state", other).succeeds().out()).get("pid").asString();
    config.namespaces("mount", "ipc", "uts", "network");
    config.set("/linux/namespaces/-", "{type:'pid',path:'/proc/" + pid + "/ns/pid'}");
    // in the foreground its client reaps it, and its pid is free again
    List<String> run =
        new ArrayList<>(List.of("sh", "-c", "exec \"$@\" > /dev/null 2>&1 < /dev/null", "sh"));
    run.addAll(onBundle("run").words());
    Command.Running first = Command.of(run).start();
    awaitCountAbove(0);
    checkpoint().succeeds();
    first.finish();
    int saved = count();
    restore();
    awaitCountAbove(saved);
    assertThat(
            Command.of("readlink", "/proc/" + state().get("pid").asString() + "/ns/pid")
                .run()
                .text())
        .isEqualTo(Command.of("readlink", "/proc/" + pid + "/ns/pid").run().text());
    killAndDelete();
    runtime("delete", "--force", other).succeeds();
  }
}
