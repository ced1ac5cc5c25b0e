package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What containerd 2 can ask for in a pod and Debian 12's cannot.
@NeedsContainerd2
class CriContainerd2IT extends CriTest {
  private static final String MAPPED =
      "{mode:'POD',uids:[{host_id:300000,container_id:0,length:65536}],gids:[{host_id:400000,container_id:0,length:65536}]}";
  private static final String OPTIONS = "{pid:'CONTAINER',userns_options:" + MAPPED + "}";
  private static final String NAMESPACES = "/linux/security_context/namespace_options";

  /// Of pods that have a user namespace.
  String mappingHandler() {
    return Containerd.FEATURED;
  }

  private Pod mappedPod() {
    return run(podConfig().set(NAMESPACES, OPTIONS), mappingHandler());
  }

  private static Config mapped(Config container) {
    return container.set(NAMESPACES, OPTIONS);
  }

  @Test
  void theHandlersFeaturesAreKnown() {
    for (JsonNode handler : cri.call("Status", "{}").get("runtime_handlers"))
      if (handler.get("name").asString().equals(Containerd.FEATURED)) {
        assertThat(handler.at("/features/user_namespaces").asBoolean()).isTrue();
        assertThat(handler.at("/features/recursive_read_only_mounts").asBoolean()).isTrue();
        return;
      }
    throw new AssertionError("no handler " + Containerd.FEATURED);
  }

  @Test
  void aPodsUserNamespaceIsItsContainers() throws IOException {
    Path volume = Files.createDirectories(containerd.temp().resolve("volume-of-users"));
    Files.setAttribute(Files.writeString(volume.resolve("file"), "text"), "unix:uid", 1000);
    Pod pod = mappedPod();
    Config config = mapped(pod.containerConfig("mapped", "sleep", "1000"));
    config.set(
        "/mounts",
        """
        [{container_path:'/volume',host_path:'%s',uidMappings:[{host_id:300000,container_id:0,length:65536}],
          gidMappings:[{host_id:400000,container_id:0,length:65536}]}]\
        """
            .formatted(volume));
    Container container = pod.start(config);
    String userNamespace =
        Files.readSymbolicLink(Path.of("/proc/" + pod.pid() + "/ns/user")).toString();
    assertThat(container.sh("readlink /proc/self/ns/user")).isEqualTo(userNamespace);
    assertThat(userNamespace)
        .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/user")).toString());
    assertThat(container.sh("cat /proc/self/uid_map").split("\\s+"))
        .contains("0", "300000", "65536");
    assertThat(container.sh("id -u; stat -c %u:%g /bin/busybox; stat -c %u /proc/1"))
        .isEqualTo("0\n0:0\n0");
    assertThat(container.sh("stat -c %u /volume/file; touch /volume/new /new; echo done"))
        .isEqualTo("1000\ndone");
    assertThat(Files.getAttribute(volume.resolve("new"), "unix:uid")).isEqualTo(0);
    assertThat(container.sh("stat -c %u:%g /new; hostname; cat /etc/hostname")).startsWith("0:0\n");
    for (String name : new String[] {"hosts", "resolv.conf", "hostname"})
      assertThat(container.sh("stat -c %u:%g /etc/" + name)).as(name).isEqualTo("0:0");
    assertThat(container.sh("echo more >> /etc/hosts; echo x > /dev/shm/file; cat /dev/shm/file"))
        .isEqualTo("x");
    Container other = pod.start(mapped(pod.containerConfig("other", "sleep", "1000")));
    assertThat(other.sh("tail -n 1 /etc/hosts; cat /dev/shm/file")).isEqualTo("more\nx");
    assertThat(other.sh("cat /proc/sys/net/ipv4/ip_unprivileged_port_start")).isEqualTo("0");
  }

  /// A volume whose content is an image's, also a part of it.
  @Test
  void anImageIsAVolume() {
    Pod pod = run(podConfig());
    Config config = pod.containerConfig("reader", "sleep", "1000");
    config.set(
        "/mounts",
        "[{container_path:'/whole',readonly:true,image:{image:'%s'}}]"
            .formatted(Containerd.STOPPED_BY_USR1));
    Container container = pod.start(config);
    assertThat(container.sh("/whole/bin/busybox echo from the image")).isEqualTo("from the image");
    assertThat(container.exec("touch", "/whole/new").err()).contains("Read-only");
    container.stop(0);
    container.remove();
  }
}
