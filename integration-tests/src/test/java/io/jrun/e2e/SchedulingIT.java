package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// scheduler, ioPriority, personality, execCPUAffinity, memoryPolicy, and labels of security
/// modules that this kernel lacks.
class SchedulingIT extends EndToEnd {
  private String host(String... words) {
    return Command.of(words).run().succeeds().text();
  }

  @Test
  void schedulerSetsPolicyAndNice() throws IOException {
    RUNTIME.assumeRecent("scheduler");
    config.set("/process/scheduler", "{policy:'SCHED_BATCH',nice:5}");
    long pid = startSleeper();
    assertThat(host("chrt", "-p", String.valueOf(pid))).contains("SCHED_BATCH");
    assertThat(host("ps", "-o", "ni=", "-p", String.valueOf(pid))).isEqualTo("5");
    assertThat(execSh("cut -d' ' -f19 /proc/self/stat").succeeds().text()).isEqualTo("5");
    killAndDelete();
  }

  @Test
  void ioPrioritySetsClassAndLevel() throws IOException {
    RUNTIME.assumeRecent("ioPriority");
    config.set("/process/ioPriority", "{class:'IOPRIO_CLASS_BE',priority:6}");
    long pid = startSleeper();
    assertThat(host("ionice", "-p", String.valueOf(pid))).isEqualTo("best-effort: prio 6");
    killAndDelete();
  }

  @Test
  void personalityChangesTheMachinesName() throws IOException {
    RUNTIME.assumeRecent("personality");
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "LINUX32 shows as i686 on x86_64");
    config.set("/linux/personality", "{domain:'LINUX32'}");
    assertThat(runSh("uname -m").succeeds().text()).isEqualTo("i686");
    config.set("/linux/personality", "{domain:'LINUX'}");
    assertThat(runSh("uname -m").succeeds().text()).isEqualTo("x86_64");
  }

  @Test
  void execRunsOnTheCpusItIsGiven() throws IOException {
    RUNTIME.assumeRecent("execCPUAffinity");
    config.set("/process/execCPUAffinity", "{initial:'0',final:'0'}");
    startSleeper();
    assertThat(execSh("grep Cpus_allowed_list /proc/self/status").succeeds().text())
        .endsWith("\t0");
    killAndDelete();
  }

  /// What `grep` says of the CPUs that the command runs on, where its caller has only the first.
  private String cpusWithOneCpu(Command command) {
    List<String> words = new ArrayList<>(List.of("taskset", "-c", "0"));
    words.addAll(command.words());
    return Command.of(words).run().succeeds().text();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theCallersAffinityIsNotTheContainers(boolean userNamespace) throws IOException {
    RUNTIME.assumeRecent("affinity");
    if (userNamespace)
      config
          .set("/linux/namespaces/-", "{type:'user'}")
          .set("/linux/uidMappings", "[{containerID:0,hostID:0,size:65536}]")
          .set("/linux/gidMappings", "[{containerID:0,hostID:0,size:65536}]");
    String all = host("grep", "Cpus_allowed_list", "/proc/self/status");
    assumeTrue(!all.endsWith("\t0"), "the machine has one CPU");
    String[] ask = {"grep", "Cpus_allowed_list", "/proc/self/status"};
    config.args(ask);
    assertThat(cpusWithOneCpu(onBundle("run"))).isEqualTo(all);
    startSleeper();
    assertThat(cpusWithOneCpu(command("exec", id, ask[0], ask[1], ask[2]))).isEqualTo(all);
    config.set("/process/execCPUAffinity", "{initial:'0'}").args("sleep", "1000");
    killAndDelete();
    id = newId();
    createAndStart();
    assertThat(runtime("exec", id, ask[0], ask[1], ask[2]).succeeds().text()).endsWith("\t0");
    killAndDelete();
  }

  @Test
  @JrunOnly
  void memoryPolicyIsTheNumasOwn() throws IOException {
    assumeTrue(Files.exists(Path.of("/proc/self/numa_maps")), "the kernel has no NUMA");
    config.set("/linux/memoryPolicy", "{mode:'MPOL_BIND',nodes:'0',flags:['MPOL_F_STATIC_NODES']}");
    assertThat(runSh("head -1 /proc/self/numa_maps").succeeds().text()).contains(" bind=static:0 ");
    config.set("/linux/memoryPolicy", "{mode:'MPOL_BIND',nodes:'0-'}");
    assertThat(run().fails().err()).contains("0-");
  }

  @ParameterizedTest
  @CsvSource({
    "{}, invalid memory policy mode",
    "{mode:'INTERLEAVE';nodes:'0'}, invalid memory policy mode",
    "{mode:'MPOL_BIND';nodes:'0';flags:['MPOL_F_SOME']}, invalid memory policy flag",
    "{mode:'MPOL_BIND';nodes:'0-9876543210'}, invalid memory policy nodes",
    "{mode:'MPOL_BIND'}, requires at least one node but got 0",
    "{mode:'MPOL_DEFAULT';nodes:'0-7'}, requires 0 nodes but got 8",
  })
  void aMemoryPolicyThatMakesNoSenseIsRefused(String policy, String told) throws IOException {
    RUNTIME.assumeRecent("memoryPolicy");
    config.set("/linux/memoryPolicy", policy.replace(';', ','));
    assertThat(run().exits(1).err()).contains(told);
  }

  @Test
  void aLabelForAMissingModuleIsRefused() throws IOException {
    assumeTrue(
        !Files.exists(Path.of("/sys/module/apparmor"))
            && !Files.exists(Path.of("/sys/fs/selinux/status")),
        "the kernel has apparmor or selinux");
    config.setText("/process/apparmorProfile", "some-profile");
    assertThat(run().fails().err()).containsIgnoringCase("apparmor");
    config.remove("/process", "apparmorProfile").setText("/process/selinuxLabel", "u:r:t:s0");
    assertThat(run().fails().err()).containsIgnoringCase("selinux");
    config.remove("/process", "selinuxLabel").setText("/linux/mountLabel", "u:r:t:s0");
    if (RUNTIME.isJrun()) assertThat(run().fails().err()).containsIgnoringCase("selinux");
  }

  /// sched_setattr(2): SCHED_DEADLINE wants an affinity of all CPUs.
  @Test
  void aDeadlineWithinSomeCpusIsToldAsSuch() throws IOException {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "one CPU only");
    config.set("/linux/resources/cpu", "{cpus:'0'}");
    config.set(
        "/process/scheduler",
        "{policy:'SCHED_DEADLINE',nice:19,runtime:42000,deadline:1000000,period:1000000}");
    run().failsInOneLine("process scheduler can't be used together with AllowedCPUs");
  }
}
