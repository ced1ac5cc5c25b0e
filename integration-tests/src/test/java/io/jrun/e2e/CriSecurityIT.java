package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
  void theDefaultProfileOfAppArmor() throws IOException {
    assumeTrue(AppArmorIT.isPossible(), "needs a kernel with AppArmor (make vm-test)");
    Container container = run(podConfig()).start("c", "sleep", "1000");
    assertThat(container.sh("cat /proc/self/attr/current"))
        .isEqualTo("cri-containerd.apparmor.d (enforce)");
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

  @Test
  void hostNetworkAndProcesses() {
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
    assertThat(two.sh("ps -o args")).contains("sleep 555", "sleep 666", "sleep 2147483647");
    Container debug = // an ephemeral container that looks into another
        pod.start(
            pod.containerConfig("debug", "sleep", "777")
                .set(CONTEXT + "namespace_options", "{pid:'TARGET',target_id:'" + one.id + "'}"));
    assertThat(debug.sh("ps -o args")).contains("sleep 555", "sleep 777");
    one.stop(0);
    one.awaitExit();
    assertThat(two.sh("ps -o args")).doesNotContain("sleep 555");
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
    assertThat(limits(container)).isEqualTo(List.of("512", "50000", "100000", "67108864", "0"));
    assertThat(container.sh("cat /proc/1/oom_score_adj")).isEqualTo("700");
    cri.call(
        "UpdateContainerResources",
        """
        {container_id:'%s',linux:{cpu_shares:256,cpu_quota:25000,cpu_period:50000,memory_limit_in_bytes:33554432}}\
        """
            .formatted(container.id));
    assertThat(limits(container)).isEqualTo(List.of("256", "25000", "50000", "33554432", "0"));
    container.sh("true");
  }

  private List<String> limits(Container container) {
    String below = containerd.tag() + "/" + container.id;
    return List.of(
            "cpu/%s/cpu.shares",
            "cpu/%s/cpu.cfs_quota_us",
            "cpu/%s/cpu.cfs_period_us",
            "memory/%s/memory.limit_in_bytes",
            "cpuset/%s/cpuset.cpus")
        .stream()
        .map(file -> read("/sys/fs/cgroup/" + file.formatted(below)))
        .toList();
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
