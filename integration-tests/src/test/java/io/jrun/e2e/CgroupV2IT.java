package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import tools.jackson.databind.JsonNode;

/// Limits, and what else a container's cgroup is for, where cgroup v2 is all there is.
@Tag("vm")
@EnabledIf(value = "isPossible", disabledReason = "needs cgroup v2 alone (make vm-test)")
class CgroupV2IT extends EndToEnd {
  static boolean isPossible() {
    return CgroupHierarchies.isV2Alone();
  }

  @BeforeEach
  void nameTheCgroup() {
    config.setText("/linux/cgroupsPath", "/" + tag);
  }

  private Path cgroup() {
    return Path.of("/sys/fs/cgroup", tag);
  }

  private String file(String name) throws IOException {
    return Files.readString(cgroup().resolve(name)).strip();
  }

  private void needs(String controller) throws IOException {
    assumeTrue(
        Files.readString(Path.of("/sys/fs/cgroup/cgroup.controllers")).contains(controller),
        "no controller " + controller);
  }

  @Test
  void fieldsOfV1AreConverted() throws IOException {
    config.set(
        "/linux/resources",
        "{memory:{limit:67108864,reservation:33554432,swap:100663296,kernel:1000000},"
            + "cpu:{shares:512,quota:25000,period:50000,burst:5000,cpus:'0',mems:'0'},pids:{limit:42}}");
    create();
    assertThat(file("memory.max")).isEqualTo("67108864");
    assertThat(file("memory.low")).isEqualTo("33554432");
    assertThat(file("memory.swap.max")).isEqualTo("33554432");
    assertThat(file("cpu.weight")).isEqualTo("59");
    assertThat(file("cpu.max")).isEqualTo("25000 50000");
    assertThat(file("cpu.max.burst")).isEqualTo("5000");
    assertThat(file("cpuset.cpus")).isEqualTo("0");
    assertThat(file("cpuset.mems")).isEqualTo("0");
    assertThat(file("pids.max")).isEqualTo("42");
  }

  @Test
  void unifiedFilesAreWrittenAsTheyAre() throws IOException {
    config.set(
        "/linux/resources",
        "{unified:{'memory.high':'50331648','memory.oom.group':'1','cpu.max':'30000 60000','pids.max':'17','cgroup.max.depth':'3'}}");
    create();
    assertThat(file("memory.high")).isEqualTo("50331648");
    assertThat(file("memory.oom.group")).isEqualTo("1");
    assertThat(file("cpu.max")).isEqualTo("30000 60000");
    assertThat(file("pids.max")).isEqualTo("17");
    assertThat(file("cgroup.max.depth")).isEqualTo("3");
  }

  @Test
  void anUnknownUnifiedFileIsNamedAndNothingIsLeft() throws IOException {
    config.set("/linux/resources", "{unified:{'memory.nonsense':'1'}}");
    assertThat(run().fails().err()).contains("memory.nonsense");
    config.set("/linux/resources", "{unified:{'../x':'1'}}");
    assertThat(run().fails().err()).contains("/linux/resources/unified");
    assertThat(cgroup()).doesNotExist();
  }

  @Test
  void hugePages() throws IOException {
    needs("hugetlb");
    config.set("/linux/resources", "{hugepageLimits:[{pageSize:'2MB',limit:4194304}]}");
    create();
    assertThat(file("hugetlb.2MB.max")).isEqualTo("4194304");
    assertThat(file("hugetlb.2MB.rsvd.max")).isEqualTo("4194304");
  }

  @Test
  void rdmaOfADeviceThatIsMissingIsTheKernelsError() throws IOException {
    needs("rdma");
    config.set("/linux/resources", "{rdma:{'none0':{hcaHandles:3}}}");
    assertThat(run().fails().err()).contains("rdma.max");
  }

  @Test
  void blockDevices() throws IOException {
    needs("io");
    String device = Files.readString(Path.of("/sys/block/vda/dev")).strip();
    String[] numbers = device.split(":");
    config.set(
        "/linux/resources",
        "{blockIO:{throttleReadBpsDevice:[{major:%s,minor:%s,rate:1048576}],throttleWriteIOPSDevice:[{major:%s,minor:%s,rate:100}]}}"
            .formatted(numbers[0], numbers[1], numbers[0], numbers[1]));
    create();
    assertThat(file("io.max")).contains(device).contains("rbps=1048576").contains("wiops=100");
  }

  @Test
  void devicesAreDeniedByAProgram() throws IOException {
    String[] numbers = Files.readString(Path.of("/sys/block/vda/dev")).strip().split(":");
    config.writableRoot().capabilities("CAP_MKNOD");
    String read =
        "mknod /dev/disk b %s %s; head -c 1 /dev/disk >/dev/null && echo read; echo > /dev/disk && echo written"
            .formatted(numbers[0], numbers[1]);
    config.mount("{destination:'/dev',type:'tmpfs',source:'tmpfs'}");
    Outcome denied = runSh(read);
    assertThat(denied.out()).doesNotContain("read").doesNotContain("written");
    assertThat(denied.err()).contains("Operation not permitted");
    config.set(
        "/linux/resources/devices",
        "[{allow:false,access:'rwm'},{allow:true,type:'b',major:%s,minor:%s,access:'rm'}]"
            .formatted(numbers[0], numbers[1]));
    assertThat(runSh(read).out()).contains("read").doesNotContain("written");
  }

  @Test
  void everyProcessIsBornInItsCgroup() throws IOException {
    startSleeper();
    runtime("exec", "-d", id, "sleep", "999").succeeds();
    assertThat(file("cgroup.procs").lines()).hasSize(2);
    assertThat(execSh("cat /proc/self/cgroup").out().strip()).isEqualTo("0::/");
    assertThat(execSh("cat /sys/fs/cgroup/cgroup.events; ls /sys/fs/cgroup").succeeds().out())
        .contains("populated 1");
    killAndDelete();
  }

  @Test
  void killAllEndsPausedProcessesToo() throws IOException {
    config
        .namespaces("mount", "ipc", "uts")
        .remove("", "hostname")
        .sh("sleep 1000 & sleep 1001 & sleep 1002");
    createAndStart();
    assertThat(eventually(() -> lines("cgroup.procs") == 3)).isTrue();
    runtime("pause", id).succeeds();
    assertThat(file("cgroup.events")).contains("frozen 1");
    runtime("kill", "--all", id, "KILL").succeeds();
    assertThat(eventually(() -> lines("cgroup.procs") == 0)).isTrue();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  private int lines(String name) {
    try {
      return (int) file(name).lines().count();
    } catch (IOException e) {
      return -1;
    }
  }

  @Test
  void anOtherSignalReachesAllOfThem() throws IOException {
    config.sh("trap 'echo got; exit 3' USR1; sleep 1000 & while :; do sleep 0.1; done");
    createAndStart();
    assertThat(eventually(() -> lines("cgroup.procs") >= 2)).isTrue();
    runtime("kill", "--all", id, "USR1").succeeds();
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
  }

  @Test
  void updateChangesLimits() throws IOException {
    startSleeper();
    runtime(
            "update",
            "--cpu-period",
            "50000",
            "--cpu-quota",
            "20000",
            "--cpu-share",
            "2048",
            "--cpuset-cpus",
            "0",
            "--memory",
            "64M",
            "--memory-reservation",
            "32M",
            "--memory-swap",
            "96M",
            "--pids-limit",
            "20",
            id)
        .succeeds();
    assertThat(file("cpu.max")).isEqualTo("20000 50000");
    assertThat(file("cpu.weight")).isEqualTo("174");
    assertThat(file("cpuset.cpus")).isEqualTo("0");
    assertThat(file("memory.max")).isEqualTo("67108864");
    assertThat(file("memory.low")).isEqualTo("33554432");
    assertThat(file("memory.swap.max")).isEqualTo("33554432");
    assertThat(file("pids.max")).isEqualTo("20");
    runtime("update", "--cpu-quota", "10000", id).succeeds();
    assertThat(file("cpu.max")).isEqualTo("10000 50000");
    command("update", "-r", "-", id)
        .input("{\"unified\":{\"memory.high\":\"33554432\"}}")
        .run()
        .succeeds();
    assertThat(file("memory.high")).isEqualTo("33554432");
    runtime("update", "--memory", "-1", "--pids-limit", "-1", id).succeeds();
    assertThat(file("memory.max")).isEqualTo("max");
    assertThat(file("pids.max")).isEqualTo("max");
    killAndDelete();
  }

  @Test
  void aLimitBelowWhatIsUsedCanBeRefused() throws IOException {
    startSleeper();
    command("update", "-r", "-", id)
        .input("{\"memory\":{\"limit\":4096,\"checkBeforeUpdate\":true}}")
        .run()
        .fails();
    assertThat(status()).isEqualTo("running");
    killAndDelete();
  }

  @Test
  void eventsTellStatistics() throws IOException {
    config.set("/linux/resources", "{pids:{limit:20},memory:{limit:67108864}}");
    startSleeper();
    JsonNode event = Config.json(runtime("events", "--stats", id).succeeds().out());
    assertThat(event.get("type").asString()).isEqualTo("stats");
    assertThat(event.at("/data/pids/current").asInt()).isEqualTo(1);
    assertThat(event.at("/data/pids/limit").asInt()).isEqualTo(20);
    assertThat(event.at("/data/memory/usage/usage").asLong()).isPositive();
    assertThat(event.at("/data/memory/usage/limit").asLong()).isEqualTo(67108864);
    assertThat(event.at("/data/cpu/usage/total").asLong()).isPositive();
    killAndDelete();
  }

  @Test
  void runningOutOfMemoryIsTold() throws IOException {
    config
        .set("/linux/resources", "{memory:{limit:33554432,swap:33554432}}")
        .mount("{destination:'/tmp',type:'tmpfs',source:'tmpfs'}")
        .sh(
            "while ! test -e /tmp/go; do sleep 0.05; done; dd if=/dev/zero of=/tmp/big bs=1M count=60; sleep 1000");
    createAndStart();
    Command.Running running = command("events", "--interval", "60s", id).start();
    pause(2000);
    execSh("touch /tmp/go");
    assertThat(eventually(() -> told(running))).isTrue();
    runtime("delete", "--force", id).succeeds();
    assertThat(running.finish().out()).contains("\"oom\"").contains(id);
  }

  private static boolean told(Command.Running running) {
    try {
      return running.outputSoFar().contains("\"oom\"");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void theMemoryLimitHolds() throws IOException {
    config
        .set("/linux/resources", "{memory:{limit:33554432,swap:33554432}}")
        .mount("{destination:'/tmp',type:'tmpfs',source:'tmpfs'}");
    assertThat(runSh("dd if=/dev/zero of=/tmp/big bs=1M count=60").status()).isNotZero();
  }

  @Test
  void thePidsLimitHolds() throws IOException {
    config.set("/linux/resources", "{pids:{limit:3}}");
    Outcome outcome = runSh("for i in 1 2 3 4 5; do sleep 1 & done; wait");
    assertThat(outcome.out() + outcome.err()).contains("can't fork");
  }

  @Test
  void controllersReachThroughNewParents() throws IOException {
    config
        .setText("/linux/cgroupsPath", "/" + tag + "/a/b")
        .set("/linux/resources", "{pids:{limit:9}}");
    create();
    assertThat(Files.readString(cgroup().resolve("a/b/pids.max")).strip()).isEqualTo("9");
    for (String controllers : List.of("cgroup.subtree_control", "a/cgroup.subtree_control"))
      assertThat(file(controllers)).contains("pids", "memory");
    runtime("delete", "--force", id).succeeds();
    Files.delete(cgroup().resolve("a"));
    Files.delete(cgroup());
  }

  @Test
  void aContainerCanDivideItsOwnCgroup() throws IOException {
    config.writableRoot();
    config.set("/mounts", mountsWithWritableCgroup());
    assertThat(
            runSh(
                    "cd /sys/fs/cgroup && mkdir inner && echo 0 > inner/cgroup.procs && echo +pids > cgroup.subtree_control"
                        + " && mkdir second && echo 5 > second/pids.max && cat second/pids.max && cat /proc/self/cgroup")
                .succeeds()
                .lines())
        .containsExactly("5", "0::/inner");
    assertThat(cgroup()).doesNotExist();
  }

  @Test
  void aUserNamespacesRootOwnsItsCgroupWhereItIsWritable() throws IOException {
    config
        .set("/linux/namespaces/-", "{type:'user'}")
        .set("/linux/uidMappings", "[{containerID:0,hostID:100000,size:65536}]")
        .set("/linux/gidMappings", "[{containerID:0,hostID:100000,size:65536}]");
    Command.of("chown", "-R", "100000:100000", bundle.rootfs().toString()).run().succeeds();
    startSleeper();
    assertThat(Files.getAttribute(cgroup(), "unix:uid")).isEqualTo(0);
    killAndDelete();
    config.set("/mounts", mountsWithWritableCgroup());
    startSleeper();
    assertThat(Files.getAttribute(cgroup(), "unix:uid")).isEqualTo(100000);
    assertThat(Files.getAttribute(cgroup().resolve("cgroup.procs"), "unix:uid")).isEqualTo(100000);
    assertThat(Files.getAttribute(cgroup().resolve("pids.max"), "unix:uid")).isEqualTo(0);
    assertThat(
            execSh(
                    "mkdir /sys/fs/cgroup/inner && echo 1 > /sys/fs/cgroup/inner/cgroup.procs && cat /proc/1/cgroup")
                .succeeds()
                .out())
        .contains("/inner");
    killAndDelete();
  }

  private String mountsWithWritableCgroup() {
    return config.at("/mounts").toString().replace("\"relatime\",\"ro\"", "\"relatime\",\"rw\"");
  }
}
