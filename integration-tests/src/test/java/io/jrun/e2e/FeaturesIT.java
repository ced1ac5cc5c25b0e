package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What `features` says is what `create` takes, and what it does not say is refused.
@JrunOnly
class FeaturesIT extends EndToEnd {
  private JsonNode features() {
    return Config.json(runtime("features").succeeds().out());
  }

  private static List<String> texts(JsonNode array) {
    List<String> all = new ArrayList<>();
    array.forEach(each -> all.add(each.asString()));
    return all;
  }

  @Test
  void everyMountOptionOfItsListIsTaken() throws IOException {
    // these ask for mappings, or for what a tmpfs cannot do
    List<String> special = List.of("idmap", "ridmap", "bind", "rbind");
    List<String> places = new ArrayList<>();
    for (String option : texts(features().at("/mountOptions"))) {
      if (special.contains(option)) continue;
      places.add("/o-" + option);
      config.set(
          "/mounts/-",
          "{destination:'/o-%s',type:'tmpfs',source:'tmpfs',options:['%s']}"
              .formatted(option, option));
    }
    config.writableRoot();
    assertThat(runSh("cut -d' ' -f2 /proc/mounts | grep ^/o-").succeeds().lines())
        .containsExactlyElementsOf(places);
  }

  @Test
  void everyNamespaceActionOperatorAndCapabilityOfItsListIsTaken() throws IOException {
    JsonNode features = features();
    assertThat(texts(features.at("/linux/namespaces")))
        .containsExactly("cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts");
    List<String> actions = texts(features.at("/linux/seccomp/actions"));
    List<String> operators = texts(features.at("/linux/seccomp/operators"));
    config.set("/linux/seccomp", "{defaultAction:'SCMP_ACT_ALLOW'}");
    config.set(
        "/linux/seccomp/architectures",
        Config.json(features.at("/linux/seccomp/archs").toString()).toString());
    config.set("/linux/seccomp/syscalls", "[]");
    for (String action : actions) {
      if (action.equals("SCMP_ACT_NOTIFY")) continue; // needs a listener
      for (String operator : operators)
        config.set(
            "/linux/seccomp/syscalls/-",
            "{names:['kexec_load'],action:'%s',args:[{index:0,value:%d,op:'%s'}]}"
                .formatted(action, 99 + actions.indexOf(action), operator));
    }
    runSh("true").succeeds();
    List<String> capabilities = texts(features.at("/linux/capabilities"));
    config.capabilities(capabilities.toArray(String[]::new));
    Outcome outcome = runSh("grep CapBnd /proc/self/status").succeeds();
    assertThat(outcome.err()).doesNotContain("unknown");
    // what this machine cannot grant is left out
    assertThat(outcome.lines())
        .containsAll(
            Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("CapBnd"))
                .toList());
  }

  @Test
  void everyArchitectureOfItsListIsTakenAndNoOther() throws IOException {
    List<String> architectures = texts(features().at("/linux/seccomp/archs"));
    // of the specification's, apart from those that Debian's libseccomp may be too old for
    List<String> others =
        List.of(
            "SCMP_ARCH_MIPS",
            "SCMP_ARCH_MIPS64",
            "SCMP_ARCH_MIPS64N32",
            "SCMP_ARCH_PARISC",
            "SCMP_ARCH_PARISC64",
            "SCMP_ARCH_PPC",
            "SCMP_ARCH_PPC64",
            "SCMP_ARCH_S390",
            "SCMP_ARCH_S390X",
            "SCMP_ARCH_NONE_SUCH");
    assertThat(architectures).doesNotContainAnyElementsOf(others);
    for (String architecture : architectures) ofArchitecture(architecture).succeeds();
    for (String architecture : others) ofArchitecture(architecture).fails();
    for (String architecture : List.of("MIPSEL", "MIPSEL64", "MIPSEL64N32", "PPC64LE", "RISCV64"))
      if (ofArchitecture("SCMP_ARCH_" + architecture).status() == 0)
        assertThat(architectures).contains("SCMP_ARCH_" + architecture);
  }

  private Outcome ofArchitecture(String name) throws IOException {
    config.set(
        "/linux/seccomp",
        "{defaultAction:'SCMP_ACT_ALLOW',architectures:['%s'],syscalls:[{names:['kexec_load'],action:'SCMP_ACT_ERRNO'}]}"
            .formatted(name));
    return run();
  }

  @Test
  void everyAnnotationThatJrunObeysIsInItsList() {
    assertThat(texts(features().at("/potentiallyUnsafeConfigAnnotations")))
        .contains("org.criu.config", "org.systemd.property.")
        .contains("io.jrun."); // network, publish, sandbox; labels, namespace, ports of policies
  }

  @Test
  void everyFlagOfSeccompOfItsListIsTakenAndNoOther() throws IOException {
    for (String flag : texts(features().at("/linux/seccomp/supportedFlags"))) {
      config.set(
          "/linux/seccomp",
          "{defaultAction:'SCMP_ACT_ALLOW',flags:['%s'],syscalls:[{names:['kexec_load'],action:'SCMP_ACT_ERRNO'}]}"
              .formatted(flag));
      // this one is for a listener, without which the kernel refuses it
      if (!flag.endsWith("WAIT_KILLABLE_RECV")) runSh("true").succeeds();
    }
    config.set("/linux/seccomp/flags", "['SECCOMP_FILTER_FLAG_NONE_SUCH']");
    run().fails();
  }

  @Test
  void theRest() {
    JsonNode features = features();
    assertThat(features.at("/ociVersionMax").asString()).isEqualTo("1.3.0");
    assertThat(texts(features.at("/hooks")))
        .containsExactly(
            "prestart",
            "createRuntime",
            "createContainer",
            "startContainer",
            "poststart",
            "poststop");
    for (String on :
        List.of(
            "cgroup/v1",
            "cgroup/v2",
            "cgroup/rdma",
            "seccomp/enabled",
            "apparmor/enabled",
            "selinux/enabled",
            "intelRdt/enabled",
            "intelRdt/schemata",
            "intelRdt/monitoring",
            "mountExtensions/idmap/enabled",
            "netDevices/enabled"))
      assertThat(features.at("/linux/" + on).asBoolean()).as(on).isTrue();
  }

  /// As numa_maps has each mode, and each flag of one that takes them all.
  private static final Map<String, String> MEMORY_POLICIES =
      Map.of(
          "mode:'MPOL_BIND',nodes:'0'", "bind:0",
          "mode:'MPOL_DEFAULT'", "default",
          "mode:'MPOL_INTERLEAVE',nodes:'0'", "interleave:0",
          "mode:'MPOL_LOCAL'", "local",
          "mode:'MPOL_PREFERRED',nodes:'0'", "prefer:0",
          "mode:'MPOL_PREFERRED_MANY',nodes:'0'", "prefer (many):0",
          "mode:'MPOL_WEIGHTED_INTERLEAVE',nodes:'0'", "weighted interleave:0",
          "mode:'MPOL_BIND',nodes:'0',flags:['MPOL_F_NUMA_BALANCING']", "bind=balancing:0",
          "mode:'MPOL_BIND',nodes:'0',flags:['MPOL_F_RELATIVE_NODES']", "bind=relative:0",
          "mode:'MPOL_BIND',nodes:'0',flags:['MPOL_F_STATIC_NODES']", "bind=static:0");

  @Test
  void everyMemoryPolicyOfItsListIsTaken() throws IOException {
    JsonNode policies = features().at("/linux/memoryPolicy");
    for (String name : List.of("modes", "flags"))
      for (String each : texts(policies.get(name)))
        assertThat(MEMORY_POLICIES.keySet()).anyMatch(policy -> policy.contains("'" + each + "'"));
    assumeTrue(Files.exists(Path.of("/proc/self/numa_maps")), "a kernel without NUMA");
    boolean hasWeights = Files.exists(Path.of("/sys/kernel/mm/mempolicy/weighted_interleave"));
    for (Map.Entry<String, String> policy : MEMORY_POLICIES.entrySet()) {
      if (policy.getKey().contains("WEIGHTED") && !hasWeights) continue; // before Linux 6.9
      config.set("/linux/memoryPolicy", "{" + policy.getKey() + "}");
      assertThat(runSh("cat /proc/self/numa_maps").succeeds().lines().getFirst())
          .as(policy.getKey())
          .contains(" " + policy.getValue() + " ");
    }
  }
}
