package io.jrun.runtime.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.runtime.Config;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CgroupOwnerTest {
  private static Config config(String process, String namespaces, String mountOptions) {
    String json =
        """
        {"ociVersion":"1.3.0","root":{"path":"rootfs"},
         "process":{"cwd":"/","args":["x"],"user":%s},
         "mounts":[{"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup","options":%s}],
         "linux":{"namespaces":%s,
          "uidMappings":[{"containerID":0,"hostID":5000,"size":100},{"containerID":100,"hostID":9000,"size":10}],
          "gidMappings":[{"containerID":0,"hostID":5000,"size":100}]}}
        """
            .formatted(process, mountOptions, namespaces);
    return Config.read(json.getBytes(StandardCharsets.UTF_8));
  }

  private static final String ROOT = "{\"uid\":0,\"gid\":0}";
  private static final String ALL =
      "[{\"type\":\"mount\"},{\"type\":\"user\"},{\"type\":\"cgroup\"}]";

  @Test
  void itIsTheProcesssUserOnTheHost() {
    assertThat(CgroupOwner.of(config(ROOT, ALL, "[\"rw\"]"))).hasValue(5000);
    assertThat(CgroupOwner.of(config("{\"uid\":103,\"gid\":0}", ALL, "[]"))).hasValue(9003);
  }

  @Test
  void withoutAUserNamespaceItIsTheProcesssUserItself() {
    assertThat(CgroupOwner.of(config("{\"uid\":7,\"gid\":0}", "[{\"type\":\"cgroup\"}]", "[]")))
        .hasValue(7);
  }

  @Test
  void nobodyGetsWhatIsReadOnlySharedOrUnmapped() {
    assertThat(CgroupOwner.of(config(ROOT, ALL, "[\"ro\"]"))).isEmpty();
    assertThat(CgroupOwner.of(config("{\"uid\":777,\"gid\":0}", ALL, "[]"))).isEmpty();
    assertThat(CgroupOwner.of(config(ROOT, "[{\"type\":\"mount\"},{\"type\":\"user\"}]", "[]")))
        .isEmpty();
    assertThat(
            CgroupOwner.of(
                config(
                    ROOT,
                    "[{\"type\":\"mount\"},{\"type\":\"user\"},{\"type\":\"cgroup\",\"path\":\"/proc/1/ns/cgroup\"}]",
                    "[]")))
        .isEmpty();
  }
}
