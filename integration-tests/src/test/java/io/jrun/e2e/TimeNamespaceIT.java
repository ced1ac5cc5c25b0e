package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The time namespace and its offsets.
class TimeNamespaceIT extends EndToEnd {
  private static final long DAY = 86_400;

  @BeforeEach
  void onlyWhereItIsKnown() throws IOException {
    RUNTIME.assumeRecent("time namespaces");
    config.set("/linux/namespaces/-", "{type:'time'}");
  }

  private static double uptime(String text) {
    return Double.parseDouble(text.split(" ")[0]);
  }

  @Test
  void offsetsMoveTheClocks() throws IOException {
    config.set(
        "/linux/timeOffsets", "{boottime:{secs:%d},monotonic:{secs:5,nanosecs:7}}".formatted(DAY));
    Outcome outcome =
        runSh("cat /proc/uptime; readlink /proc/self/ns/time; cat /proc/self/timens_offsets")
            .succeeds();
    double host = uptime(Files.readString(Path.of("/proc/uptime")));
    assertThat(uptime(outcome.lines().get(0)) - host).isBetween(DAY - 60.0, DAY + 1.0);
    assertThat(outcome.lines().get(1))
        .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/time")).toString());
    assertThat(outcome.out())
        .containsPattern("monotonic\\s+5\\s+7")
        .containsPattern("boottime\\s+86400");
  }

  @Test
  void offsetsMayBeNegative() throws IOException {
    config.set("/linux/timeOffsets", "{boottime:{secs:-1}}");
    runSh("cat /proc/uptime").succeeds();
  }

  @Test
  @JrunOnly // runc does not say what
  void aClockBeforeTheStartOfTimeIsToldByName() throws IOException {
    config.set("/linux/timeOffsets", "{monotonic:{secs:-4611686018427387904}}");
    run().failsInOneLine("setting timeOffsets", "numerical result out of range");
  }

  @Test
  void execSeesTheSameClocks() throws IOException {
    config.set("/linux/timeOffsets", "{boottime:{secs:%d}}".formatted(DAY));
    startSleeper();
    assertThat(uptime(execSh("cat /proc/uptime").succeeds().text())).isGreaterThan(DAY);
    killAndDelete();
  }

  @Test
  void inAUserNamespaceToo() throws IOException {
    config
        .set("/linux/namespaces/-", "{type:'user'}")
        .set("/linux/uidMappings", "[{containerID:0,hostID:0,size:65536}]")
        .set("/linux/gidMappings", "[{containerID:0,hostID:0,size:65536}]")
        .set("/linux/timeOffsets", "{boottime:{secs:%d}}".formatted(DAY));
    assertThat(uptime(runSh("cat /proc/uptime").succeeds().text())).isGreaterThan(DAY);
  }

  @Test
  void anotherContainersIsJoined() throws IOException {
    config.set("/linux/timeOffsets", "{boottime:{secs:%d}}".formatted(DAY));
    long pid = startSleeper();
    String first = id;
    id = newId();
    config
        .namespaces("pid", "mount", "ipc", "uts", "network")
        .set("/linux/namespaces/-", "{type:'time',path:'/proc/%d/ns/time'}".formatted(pid))
        .remove("/linux", "timeOffsets");
    assertThat(uptime(runSh("cat /proc/uptime").succeeds().text())).isGreaterThan(DAY);
    runtime("delete", "--force", first).succeeds();
  }
}
