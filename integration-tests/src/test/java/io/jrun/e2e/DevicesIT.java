package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Device nodes and the device cgroup.
class DevicesIT extends EndToEnd {

  @Test
  void defaultDevices() throws IOException {
    List<String> lines =
        runSh("cd /dev; stat -c '%n %F %a %t:%T %u:%g' null zero full random urandom tty")
            .succeeds()
            .lines();
    assertThat(lines)
        .containsExactly(
            "null character special file 666 1:3 0:0",
            "zero character special file 666 1:5 0:0",
            "full character special file 666 1:7 0:0",
            "random character special file 666 1:8 0:0",
            "urandom character special file 666 1:9 0:0",
            "tty character special file 666 5:0 0:0");
  }

  @Test
  void defaultSymlinks() throws IOException {
    assertThat(
            runSh("cd /dev; for l in fd stdin stdout stderr ptmx; do readlink $l; done")
                .succeeds()
                .lines())
        .containsExactly(
            "/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx");
  }

  @Test
  void defaultDevicesWork() throws IOException {
    assertThat(
            runSh(
                    "echo x > /dev/null; head -c 8 /dev/zero | wc -c; head -c 8 /dev/urandom | wc -c; echo x > /dev/full")
                .exits(1)
                .lines())
        .containsExactly("8", "8");
  }

  @Test
  void anotherDeviceHasItsModeAndOwner() throws IOException {
    config.set(
        "/linux/devices",
        "[{path:'/dev/deep/e2e',type:'c',major:1,minor:3,fileMode:416,uid:1000,gid:50}]");
    assertThat(runSh("stat -c '%F %a %t:%T %u:%g' /dev/deep/e2e").succeeds().text())
        .isEqualTo("character special file 640 1:3 1000:50");
  }

  @Test
  void aPathIsCleanedAsText() throws IOException {
    config.set(
        "/linux/devices",
        "[{path:'/dev/gone/../e2e',type:'c',major:1,minor:3},"
            + "{path:'/dev//./../../dev/zero',type:'c',major:1,minor:5,fileMode:384}]");
    assertThat(runSh("cd /dev; stat -c '%n %a %t:%T' e2e zero; test -e gone").exits(1).lines())
        .containsExactly("e2e 666 1:3", "zero 600 1:5");
  }

  @Test
  void aDefaultDeviceHasTheModeThatTheConfigGivesIt() throws IOException {
    config.set(
        "/linux/devices",
        "[{path:'/dev/zero',type:'c',major:1,minor:5,fileMode:384,uid:1000,gid:50}]");
    assertThat(runSh("stat -c '%F %a %t:%T %u:%g' /dev/zero").succeeds().text())
        .isEqualTo("character special file 600 1:5 1000:50");
  }

  @Test
  void aFifo() throws IOException {
    config.set("/linux/devices", "[{path:'/dev/pipe',type:'p',fileMode:438}]");
    assertThat(runSh("stat -c %F /dev/pipe").succeeds().text()).isEqualTo("fifo");
  }

  /// runc before 1.5 and crun leave what is there.
  @Test
  @JrunOnly
  void aFileThatIsNotTheDeviceIsRefused() throws IOException {
    java.nio.file.Path place = bundle.rootfs().resolve("node");
    config
        .writableRoot()
        .set("/linux/devices", "[{path:'/node',type:'c',major:1,minor:5,fileMode:438}]");
    for (String[] make :
        new String[][] {
          {"touch", place.toString()},
          {"mkdir", place.toString()},
          {"ln", "-s", "/dev/null", place.toString()},
          {"mknod", place.toString(), "c", "1", "3"},
          {"mknod", place.toString(), "b", "1", "5"},
          {"mkfifo", place.toString()}
        }) {
      Command.of(make).run().succeeds();
      onBundle("create").run().failsInOneLine("/node", "not the requested device");
      assertThat(ids()).isEmpty();
      Command.of("rm", "-r", place.toString()).run().succeeds();
      id = newId();
    }
    Command.of("mknod", place.toString(), "c", "1", "5").run().succeeds();
    runSh("true").succeeds();
  }

  @Test
  void theCgroupDeniesAnythingElse() throws IOException {
    config.set("/linux/devices", "[{path:'/dev/e2e',type:'c',major:1,minor:11,fileMode:438}]");
    assertThat(runSh("exec 3> /dev/e2e").fails().err()).contains("Operation not permitted");
  }

  @Test
  void theCgroupAllowsWhatTheConfigAllows() throws IOException {
    config
        .set("/linux/devices", "[{path:'/dev/e2e',type:'c',major:1,minor:11,fileMode:438}]")
        .set("/linux/resources/devices/-", "{allow:true,type:'c',major:1,minor:11,access:'w'}");
    // kmsg, which anyone may open for writing only
    runSh("exec 3> /dev/e2e").succeeds();
    assertThat(runSh("exec 3<> /dev/e2e").fails().err()).contains("Operation not permitted");
  }

  @Test
  void lettersOfAnAccessThatMeanNothingArePassedOver() throws IOException {
    config
        .set("/linux/devices", "[{path:'/dev/e2e',type:'c',major:1,minor:11,fileMode:438}]")
        .set("/linux/resources/devices/-", "{allow:true,type:'c',major:1,minor:11,access:'wa'}");
    Outcome outcome = runSh("exec 3> /dev/e2e").succeeds();
    if (RUNTIME.isJrun()) assertThat(outcome.err()).contains("\\\"a\\\" of \\\"wa\\\" is ignored");
  }

  @Test
  void theDeviceCgroupListsTheRules() throws IOException {
    assumeFalse(CgroupHierarchies.isV2Alone(), "cgroup v2 has a program in place of the list");
    assertThat(runSh("cat /sys/fs/cgroup/devices/devices.list").succeeds().lines())
        .contains("c 1:3 rwm", "c 1:5 rwm", "c 136:* rwm", "c 5:2 rwm", "c *:* m", "b *:* m")
        .doesNotContain("a *:* rwm");
  }
}
