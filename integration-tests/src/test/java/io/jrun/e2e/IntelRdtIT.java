package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// linux.intelRdt, on a machine with that hardware and on one without.
class IntelRdtIT extends EndToEnd {
  private static boolean isMounted() throws IOException {
    return Files.readString(Path.of("/proc/self/mountinfo")).contains(" - resctrl ");
  }

  @Test
  @JrunOnly // runc passes over it
  void withoutResctrlItIsAnError() throws IOException {
    assumeFalse(isMounted(), "resctrl is mounted here");
    config.set("/linux/intelRdt", "{closID:'gold'}");
    onBundle("create").run().failsInOneLine("intelRdt", "no resctrl file system is mounted");
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
    config.remove("/linux", "intelRdt");
    startSleeper();
    runtime("update", "--l3-cache-schema", "L3:0=f", id).failsInOneLine("Intel RDT");
    runtime("update", "--mem-bw-schema", "MB:0=50", id).failsInOneLine("Intel RDT");
    runtime("update", "--pids-limit", "17", id).succeeds();
    runtime("update", "--pids-limit", "23", "--l3-cache-schema", "L3:0=f", id)
        .failsInOneLine("Intel RDT");
    assertThat(
            Config.json(runtime("events", "--stats", id).succeeds().out())
                .at("/data/pids/limit")
                .asLong())
        .as("nothing is changed where not all can be")
        .isEqualTo(17);
  }

  @Test
  void theContainerIsInItsGroupUntilItIsDeleted() throws IOException {
    assumeTrue(isMounted(), "no resctrl file system is mounted");
    config.set("/linux/intelRdt", "{enableMonitoring:true}");
    long pid = startSleeper();
    Path group = Path.of("/sys/fs/resctrl", id);
    assertThat(Files.readAllLines(group.resolve("tasks"))).contains(Long.toString(pid));
    killAndDelete();
    assertThat(group).doesNotExist();
  }
}
