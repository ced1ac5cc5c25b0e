package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What a pod gets of the node's hardware: devices by CDI, whose edits containerd makes in the
/// container's config, and huge pages.
class CriDevicesIT extends CriTest {

  @BeforeAll
  void describeTheDevices() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/loop-control")), "needs /dev/loop-control");
    Path given = Files.createDirectories(containerd.temp().resolve("cdi-given"));
    Files.writeString(given.resolve("file"), "from the device's vendor\n");
    Files.createDirectories(containerd.temp().resolve("cdi"));
    Files.writeString(
        containerd.temp().resolve("cdi/things.json"),
        """
        {"cdiVersion":"0.5.0","kind":"jrun.test/thing",
         "containerEdits":{"env":["EVERY_THING=yes"]},
         "devices":[
          {"name":"one","containerEdits":{
            "env":["THING=one"],
            "deviceNodes":[{"path":"/dev/thing","hostPath":"/dev/loop-control","permissions":"r"}],
            "mounts":[{"hostPath":"@GIVEN@","containerPath":"/vendor","options":["ro","bind"]}],
            "hooks":[{"hookName":"createContainer","path":"/bin/sh","args":["sh","-c","cat > @GIVEN@/state; echo from-a-hook > hooked"]}]}},
          {"name":"two","containerEdits":{"env":["OTHER=two"]}}]}
        """
            .replace("@GIVEN@", given.toString()));
  }

  private static void assumeCdi() {
    assumeTrue(!ContainerdRelease.underTest().isBefore17(), "containerd 1.6 knows nothing of CDI");
  }

  private void hasThingOne(Container container) throws IOException {
    assertThat(container.sh("echo $EVERY_THING $THING; cat /vendor/file"))
        .isEqualTo("yes one\nfrom the device's vendor");
    assertThat(container.sh("stat -c %t:%T /dev/thing")).isEqualTo("a:ed");
    container.sh("exec < /dev/thing");
    assertThat(container.exec("sh", "-c", "exec > /dev/thing").err()).contains("not permitted");
    assertThat(container.exec("touch", "/vendor/new").err()).contains("Read-only");
    Path state = containerd.temp().resolve("cdi-given/state");
    assertThat(Config.json(Files.readString(state)).at("/id").asString()).isEqualTo(container.id);
  }

  @Test
  void devicesThatAnAnnotationNames() throws IOException {
    assumeCdi();
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("annotated", "sleep", "1000")
                .set(
                    "/annotations",
                    "{'cdi.k8s.io/test':'jrun.test/thing=one,jrun.test/thing=two'}"));
    hasThingOne(container);
    assertThat(container.sh("echo $OTHER")).isEqualTo("two");
  }

  @Test
  void devicesThatTheKubeletNames() throws IOException {
    assumeCdi();
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("device", "sleep", "1000")
                .set("/CDI_devices", "[{name:'jrun.test/thing=one'}]"));
    hasThingOne(container);
  }

  @Test
  void aDeviceThatNobodyDescribesFailsTheCreation() {
    assumeCdi();
    Pod pod = run(podConfig());
    assertThatThrownBy(() ->
            pod.start(
                pod.containerConfig("absent", "sleep", "1000")
                    .set("/annotations", "{'cdi.k8s.io/test':'jrun.test/thing=absent'}")))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("jrun.test/thing=absent");
  }

  @Test
  void hugePagesAreLimited() throws IOException {
    Path hierarchy = Path.of("/sys/fs/cgroup/hugetlb");
    assumeTrue(
        Files.exists(hierarchy.resolve("hugetlb.2MB.limit_in_bytes")),
        "the hugetlb controller of cgroup v1 is not mounted, or has no pages of 2 MB");
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("huge", "sleep", "1000")
                .set(
                    "/linux/resources/hugepage_limits",
                    "[{page_size:'2MB',limit:4194304},{page_size:'1GB',limit:0}]"));
    Path cgroup = hierarchy.resolve(containerd.tag()).resolve(container.id);
    assertThat(Files.readString(cgroup.resolve("hugetlb.2MB.limit_in_bytes")))
        .isEqualTo("4194304\n");
    assertThat(Files.readString(cgroup.resolve("hugetlb.1GB.limit_in_bytes"))).isEqualTo("0\n");
    container.sh("true");
  }
}
