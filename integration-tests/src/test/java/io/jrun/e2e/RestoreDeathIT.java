package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `restore` that is killed from one of its hooks: client, engine, or both.
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
@JrunOnly
@Isolated
class RestoreDeathIT extends CheckpointTest {
  @ParameterizedTest
  @CsvSource({"true, false", "false, true", "true, true"})
  void noHookAfterTheEndIsLost(boolean killsClient, boolean killsEngine) throws IOException {
    startCounting();
    checkpoint().succeeds();
    Path seen = temp.resolve("seen");
    Path order = temp.resolve("order");
    String script =
        "%s > %s; kill -9%s%s"
            .formatted(
                String.join(" ", command("state", id).words()),
                seen,
                killsEngine ? " " + enginePid() : "",
                killsClient ? " $PPID" : "");
    config.set(
        "/hooks",
        "{createRuntime:[{path:'/bin/sh',args:['sh','-c','%s']}],".formatted(script)
            + "poststop:[{path:'/bin/sh',args:['sh','-c','echo poststop >> %s']}]}"
                .formatted(order));
    quietly(restoreCommand("--detach")).exits(killsClient ? 128 + 9 : 1);
    assertThat(seen).content().contains("\"creating\"");
    if (killsClient) runtime("delete", "--force", id).succeeds();
    assertThat(order).hasContent("poststop\n");
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }
}
