package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a pod may and sees: identities, capabilities, seccomp, namespaces, limits, devices.
class CriSecurityIT extends CriTest {
  private static final String CONTEXT = "/linux/security_context/";

  private static String field(Container container, String name) {
    return container.sh("grep '^" + name + ":' /proc/self/status").split("\\s+", 2)[1];
  }

  @Test
  void userGroupsAndCapabilities() {
    Pod pod = run(podConfig());
    Container plain = pod.start("plain", "sleep", "1000");
    Container user =
        pod.start(
            pod.containerConfig("user", "sleep", "1000")
                .set(CONTEXT + "run_as_user", "{value:1000}")
                .set(CONTEXT + "run_as_group", "{value:1000}")
                .set(CONTEXT + "supplemental_groups", "['2000','3000']")
                .set(CONTEXT + "no_new_privs", "true"));
    assertThat(user.sh("id -u; id -g; id -G").split("\\s+"))
        .contains("1000", "2000", "3000")
        .doesNotContain("0");
    assertThat(field(user, "NoNewPrivs")).isEqualTo("1");
    assertThat(field(user, "CapEff")).isEqualTo("0000000000000000");
    assertThat(field(plain, "NoNewPrivs")).isEqualTo("0");
    assertThat(field(plain, "CapEff")).isEqualTo("00000000a80425fb"); // the 14 of the default
    Container changed =
        pod.start(
            pod.containerConfig("changed", "sleep", "1000")
                .set(
                    CONTEXT + "capabilities",
                    "{add_capabilities:['NET_ADMIN'],drop_capabilities:['CHOWN','MKNOD']}"));
    assertThat(field(changed, "CapEff")).isEqualTo("00000000a00435fa");
    Container named =
        pod.start(
            pod.containerConfig("named", "sleep", "1000")
                .setText(CONTEXT + "run_as_username", "alice"));
    assertThat(named.sh("id -u; id -G").split("\\s+")).containsExactly("1000", "1000", "50");
  }

  @Test
  void privilegedSeesTheDevicesAndMayAll() {
    Config config = podConfig().set(CONTEXT + "privileged", "true");
    Pod pod = run(config);
    Container container =
        pod.start(
            pod.containerConfig("strong", "sleep", "1000").set(CONTEXT + "privileged", "true"));
    assertThat(field(container, "CapBnd")).isEqualTo(hostCapabilities());
    assertThat(container.sh("mount -t tmpfs none /mnt && echo mounted")).isEqualTo("mounted");
    assertThat(
            container.sh(
                "test -c /dev/kmsg || test -c /dev/fuse || test -c /dev/loop-control && echo yes"))
        .isEqualTo("yes");
  }

  private static String hostCapabilities() {
    return Command.of("sh", "-c", "grep '^CapBnd:' /proc/1/status | cut -f2").run().text();
  }

  @Test
  void readOnlyRootMaskedAndReadOnlyPaths() {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("closed", "sleep", "1000")
                .set(CONTEXT + "readonly_rootfs", "true")
                .set(CONTEXT + "masked_paths", "['/proc/kcore','/proc/keys','/proc/no-such']")
                .set(CONTEXT + "readonly_paths", "['/proc/sys']"));
    assertThat(container.exec("touch", "/file").status()).isNotZero();
    assertThat(container.sh("wc -c < /proc/keys")).isEqualTo("0");
    assertThat(container.exec("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward").err())
        .contains("Read-only");
    Container open = pod.start("open", "sleep", "1000");
    open.sh("touch /file");
  }

  @Test
  void seccompIsTheDefaultProfileWhenAskedFor() throws IOException {
    Pod pod = run(podConfig().set(CONTEXT + "seccomp", "{profile_type:'RuntimeDefault'}"));
    assertThat(Files.readString(Path.of("/proc/" + pod.pid() + "/status")))
        .contains("Seccomp:\t2\n");
    Container filtered =
        pod.start(
            pod.containerConfig("filtered", "sleep", "1000")
                .set(CONTEXT + "seccomp", "{profile_type:'RuntimeDefault'}"));
    assertThat(field(filtered, "Seccomp")).isEqualTo("2");
    assertThat(filtered.exec("unshare", "-n", "true").err()).contains("not permitted");
    Container free =
        pod.start(
            pod.containerConfig("free", "sleep", "1000")
                .set(CONTEXT + "seccomp", "{profile_type:'Unconfined'}"));
    assertThat(field(free, "Seccomp")).isEqualTo("0");
    Path profile = containerd.temp().resolve("profile.json");
    Files.writeString(
        profile,
        """
        {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}\
        """);
    Container local =
        pod.start(
            pod.containerConfig("local", "sleep", "1000")
                .set(
                    CONTEXT + "seccomp",
                    "{profile_type:'Localhost',localhost_ref:'" + profile + "'}"));
    assertThat(local.exec("mkdir", "/x").err()).contains("No space left");
  }

  @Test
  void sysctlsOfThePod() {
    Pod pod =
        run(
            podConfig()
                .set(
                    "/linux/sysctls",
                    "{'kernel.shm_rmid_forced':'1','net.ipv4.ip_local_port_range':'2000 3000'}"));
    Container container = pod.start("reader", "sleep", "1000");
    assertThat(container.sh("cat /proc/sys/kernel/shm_rmid_forced")).isEqualTo("1");
    assertThat(container.sh("cat /proc/sys/net/ipv4/ip_local_port_range").split("\\s+"))
        .containsExactly("2000", "3000");
  }

  /// Those that the kubelet allows only by name.
  @Test
  void unsafeSysctlsOfThePod() {
    Pod pod =
        run(
            podConfig()
                .set(
                    "/linux/sysctls",
                    "{'kernel.msgmax':'9000','kernel.sem':'250 32000 32 100','fs.mqueue.msg_max':'20','net.core.somaxconn':'777'}"));
    Container container = pod.start("reader", "sleep", "1000");
    String files = "kernel/msgmax kernel/sem fs/mqueue/msg_max net/core/somaxconn";
    assertThat(container.sh("cd /proc/sys; cat " + files).split("\\s+"))
        .containsExactly("9000", "250", "32000", "32", "100", "20", "777");
    assertThat(containerd.inside("cat", "/proc/sys/kernel/msgmax").run().text())
        .as("the node's own")
        .isNotEqualTo("9000");
  }

  @Test
  void aSysctlOfTheNodeIsRefused() {
    for (String sysctl : List.of("vm.swappiness", "kernel.pid_max"))
      assertThatThrownBy(() -> run(podConfig().set("/linux/sysctls", "{'" + sysctl + "':'77'}")))
          .hasMessageContaining(sysctl);
    assertThatThrownBy(() ->
            run(
                podConfig()
                    .set(CONTEXT + "namespace_options", "{pid:'CONTAINER',ipc:'NODE'}")
                    .set("/linux/sysctls", "{'kernel.msgmax':'9000'}")))
        .hasMessageContaining("kernel.msgmax");
  }

  /// Skips where this containerd cannot have pods in the host's network.
  void assumeHostNetworkWorks() {}

  @Test
  void hostNetworkAndProcesses() {
    assumeHostNetworkWorks();
    Config config =
        podConfig()
            .setText("/hostname", "")
            .set(CONTEXT + "namespace_options", "{network:'NODE',pid:'NODE',ipc:'NODE'}");
    Pod pod = run(config);
    Container container =
        pod.start(
            pod.containerConfig("host", "sleep", "1000")
                .set(CONTEXT + "namespace_options", "{network:'NODE',pid:'NODE',ipc:'NODE'}"));
    String script = "for n in net pid ipc; do readlink /proc/self/ns/$n; done";
    assertThat(container.sh(script)).isEqualTo(containerd.inside("sh", "-c", script).run().text());
    container.stop(0);
    container.awaitExit();
  }

  /// As it is among the processes of a pod.
  String pauseName() {
    return "sleep 2147483647";
  }

  @Test
  void aPodWithOnePidNamespace() {
    Pod pod = run(podConfig().set(CONTEXT + "namespace_options", "{pid:'POD'}"));
    Container one =
        pod.start(
            pod.containerConfig("one", "sleep", "555")
                .set(CONTEXT + "namespace_options", "{pid:'POD'}"));
    Container two =
        pod.start(
            pod.containerConfig("two", "sleep", "666")
                .set(CONTEXT + "namespace_options", "{pid:'POD'}"));
    assertThat(two.sh("ps -o args")).contains("sleep 555", "sleep 666", pauseName());
    one.stop(0);
    one.awaitExit();
    assertThat(two.sh("ps -o args")).doesNotContain("sleep 555");
  }

  /// An ephemeral container, as `kubectl debug --target` makes it.
  @Test
  void aContainerLooksIntoAnothersProcesses() {
    Pod pod = run(podConfig());
    Container target = pod.start("target", "sleep", "555");
    Container bystander = pod.start("bystander", "sleep", "666");
    Container debug =
        pod.start(
            pod.containerConfig("debug", "sleep", "777")
                .set(
                    CONTEXT + "namespace_options", "{pid:'TARGET',target_id:'" + target.id + "'}"));
    assertThat(debug.sh("ps -o args"))
        .contains("sleep 555", "sleep 777")
        .doesNotContain("sleep 666");
    assertThat(debug.sh("cat /proc/1/root/etc/hostname")).isNotEmpty();
    assertThat(bystander.sh("ps -o args")).doesNotContain("sleep 555", "sleep 777");
    target.stop(0);
    debug.awaitExit(); // the init of its namespace is gone
    assertThat(bystander.status().get("state").asString()).isEqualTo("CONTAINER_RUNNING");
  }

  @Test
  void limitsAreSetAndUpdated() {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("limited", "sleep", "1000")
                .set(
                    "/linux/resources",
                    """
                    {cpu_shares:512,cpu_quota:50000,cpu_period:100000,memory_limit_in_bytes:67108864,cpuset_cpus:'0',
                     oom_score_adj:700,hugepage_limits:[{page_size:'2MB',limit:0}]}\
                    """));
    boolean v2 = CgroupHierarchies.isV2Alone();
    assertThat(limits(container))
        .isEqualTo(
            v2
                ? List.of("59", "50000 100000", "67108864", "0")
                : List.of("512", "50000", "100000", "67108864", "0"));
    assertThat(container.sh("cat /proc/1/oom_score_adj")).isEqualTo("700");
    cri.call(
        "UpdateContainerResources",
        """
        {container_id:'%s',linux:{cpu_shares:256,cpu_quota:25000,cpu_period:50000,memory_limit_in_bytes:33554432}}\
        """
            .formatted(container.id));
    assertThat(limits(container))
        .isEqualTo(
            v2
                ? List.of("35", "25000 50000", "33554432", "0")
                : List.of("256", "25000", "50000", "33554432", "0"));
    container.sh("true");
  }

  private List<String> limits(Container container) {
    String below = containerd.tag() + "/" + container.id;
    List<String> files =
        CgroupHierarchies.isV2Alone()
            ? List.of("%s/cpu.weight", "%s/cpu.max", "%s/memory.max", "%s/cpuset.cpus")
            : List.of(
                "cpu/%s/cpu.shares",
                "cpu/%s/cpu.cfs_quota_us",
                "cpu/%s/cpu.cfs_period_us",
                "memory/%s/memory.limit_in_bytes",
                "cpuset/%s/cpuset.cpus");
    return files.stream().map(file -> read("/sys/fs/cgroup/" + file.formatted(below))).toList();
  }

  private static String read(String file) {
    try {
      return Files.readString(Path.of(file)).strip();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void mountsAndDevices() throws IOException {
    Path host = Files.createDirectories(containerd.temp().resolve("volume"));
    Files.writeString(host.resolve("file"), "content");
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("mounted", "sleep", "1000")
                .set(
                    "/mounts",
                    "[{container_path:'/volume',host_path:'" + host + "',readonly:true}]")
                .set(
                    "/devices",
                    "[{container_path:'/dev/other-zero',host_path:'/dev/zero',permissions:'r'}]"));
    assertThat(container.sh("cat /volume/file")).isEqualTo("content");
    assertThat(container.exec("touch", "/volume/new").err()).contains("Read-only");
    assertThat(container.sh("head -c 4 /dev/other-zero | od -An -tx1").strip())
        .isEqualTo("00 00 00 00");
    assertThat(container.sh("cat /etc/resolv.conf; cat /etc/hosts; cat /etc/hostname"))
        .isNotBlank();
    assertThat(container.sh("grep -c '^[^ ]* /dev/shm ' /proc/mounts")).isEqualTo("1");
  }
}
