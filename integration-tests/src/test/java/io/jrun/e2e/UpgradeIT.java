package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/// An installation that is exchanged, as `make install` does it, while its engine and containers
/// run.
@JrunOnly
@Isolated
class UpgradeIT extends OwnInstallationTest {
  /// A new version's files take the old ones' place.
  private void upgrade() throws IOException {
    Path lib = prefix.resolve("lib/jrun");
    copy(lib, prefix.resolve("lib/jrun.new"));
    Path jar = prefix.resolve("lib/jrun.new/jrun.jar");
    Files.setLastModifiedTime(jar, FileTime.from(Instant.now().plusSeconds(1)));
    copy(prefix.resolve("bin/jrun"), prefix.resolve("bin/jrun.new"));
    Files.move(lib, prefix.resolve("lib/jrun.old"));
    Files.move(prefix.resolve("lib/jrun.new"), lib);
    Command.of("rm", "-r", prefix.resolve("lib/jrun.old").toString()).run().succeeds();
    Command.of(
            "mv", prefix.resolve("bin/jrun.new").toString(), prefix.resolve("bin/jrun").toString())
        .run()
        .succeeds();
  }

  @Test
  void containersOutliveIt() throws IOException {
    config.args("sleep", "1000");
    bundle.write(config);
    String made = newId();
    installed("run", "-d", "--bundle", bundle.path().toString(), id).succeeds();
    installed("create", "--bundle", bundle.path().toString(), made).succeeds();
    long before = enginePid();

    upgrade();

    assertThat(enginePid()).as("a new version is another engine").isNotEqualTo(before);
    installed("exec", id, "sh", "-c", "exit 6").exits(6);
    installed("start", made).succeeds();
    installed("delete", "--force", made).succeeds();
    installed("delete", "--force", id).succeeds();
    ProcessHandle.of(before).ifPresent(ProcessHandle::destroy);
    assertThat(eventually(() -> !runs(before))).as("the old engine is gone").isTrue();
  }
}
