package io.jrun.runtime.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.runtime.container.NameTexts;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.sandbox.CreateSandbox;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// What becomes of CRI's configuration of a pod.
class PodPauseTest {
  private static final String USERS = "/proc/1/fd/3";
  private static final String NETWORK = "/run/netns/pod";
  private static final int NODE = 2;

  private final ProtoWriter linux = new ProtoWriter();
  private final ProtoWriter security = new ProtoWriter();
  private final ProtoWriter namespaces = new ProtoWriter();
  private final ProtoWriter pod = new ProtoWriter();

  private PodPause pause(String network) {
    byte[] config = pod.message(8, linux.message(2, security.message(1, namespaces))).toBytes();
    ProtoWriter options =
        new ProtoWriter().string(1, "runtime.v1.PodSandboxConfig").bytes(2, config);
    ProtoWriter request = new ProtoWriter().string(1, "pod").message(4, options).string(5, network);
    return PodPause.of(CreateSandbox.read(request.toBytes()), "k8s.io");
  }

  private Config config(String network) {
    return pause(network).config(Path.of("/run/state/pod"), USERS);
  }

  @Test
  void aPodHasItsOwnNamespacesAndTheNetworkThatIsGiven() {
    pod.string(2, "name");
    Config config = config(NETWORK);
    assertThat(config.linux().namespaces())
        .containsExactly(
            Namespace.joined(NamespaceType.NETWORK, NETWORK),
            Namespace.fresh(NamespaceType.UTS),
            Namespace.fresh(NamespaceType.IPC),
            Namespace.fresh(NamespaceType.PID),
            Namespace.fresh(NamespaceType.MOUNT));
    assertThat(config.hostname()).isEqualTo("name");
    assertThat(config.linux().cgroupsPath()).isEqualTo("/k8s.io/pod");
    assertThat(Objects.requireNonNull(config.linux().resources().cpu()).shares()).isEqualTo(2);
    assertThat(config.linux().seccomp()).isNull();
    assertThat(config.mounts()).hasSize(1);
  }

  @Test
  void aUserNamespaceIsThatOfTheNetwork() {
    ProtoWriter ids = new ProtoWriter().uint32(1, 300_000).uint32(3, 65_536);
    namespaces.message(5, new ProtoWriter().message(2, ids).message(3, ids));
    Config config = config(NETWORK);
    assertThat(config.linux().namespaces()).contains(Namespace.joined(NamespaceType.USER, USERS));
    assertThat(config.linux().uidMappings()).containsExactly(IdMapping.of(0, 300_000, 65_536));
    assertThat(config.linux().gidMappings()).isEqualTo(config.linux().uidMappings());
    assertThat(config.linux().sysctl()).containsOnlyKeys("net.ipv4.ip_unprivileged_port_start");
    namespaces.int32(1, NODE);
    assertThatThrownBy(() -> pause("")).hasMessageContaining("userns_options");
  }

  @Test
  void whatIsTheNodesStaysTheNodes() {
    namespaces.int32(1, NODE).int32(2, NODE).int32(3, NODE);
    pod.string(2, "name");
    Config config = config("");
    assertThat(config.linux().namespaces()).containsExactly(Namespace.fresh(NamespaceType.MOUNT));
    assertThat(config.hostname()).isNull();
    assertThat(config.linux().sysctl()).isEmpty();
    assertThat(config.mounts()).isEmpty();
  }

  @Test
  void sysctlsOfThePodComeBeforeTheDefaults() {
    linux.stringMap(3, Map.of("net.ipv4.ip_unprivileged_port_start", "80"));
    assertThat(config(NETWORK).linux().sysctl())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "net.ipv4.ip_unprivileged_port_start",
                "80",
                "net.ipv4.ping_group_range",
                "0 2147483647"));
  }

  @Test
  void theCgroupIsBelowItsParent() {
    linux.string(1, "/kubepods/burstable/pod1");
    assertThat(config(NETWORK).linux().cgroupsPath()).isEqualTo("/kubepods/burstable/pod1/pod");
    assertThat(pause(NETWORK).isInSlice()).isFalse();
  }

  @Test
  void aSliceIsSystemds() {
    linux.string(1, "/kubepods.slice/kubepods-pod1.slice");
    assertThat(config(NETWORK).linux().cgroupsPath())
        .isEqualTo("kubepods-pod1.slice:cri-containerd:pod");
    assertThat(pause(NETWORK).isInSlice()).isTrue();
  }

  @Test
  void aPauseThatIsToBeFilteredIs() {
    security.message(9, new ProtoWriter()); // RuntimeDefault
    assertThat(config(NETWORK).linux().seccomp()).isNotNull();
  }

  @Test
  void namesAreThePodsOrTheHosts() {
    assertThat(pause(NETWORK).names()).isEqualTo(new NameTexts(null, null));
    pod.string(2, "name").message(4, new ProtoWriter().string(2, "a").string(2, "b"));
    assertThat(pause(NETWORK).names()).isEqualTo(new NameTexts("name", "search a b\n"));
  }

  @Test
  void aNetworkThatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> pause("")).hasMessageContaining("netns_path");
    namespaces.int32(1, NODE);
    assertThatThrownBy(() -> pause(NETWORK)).hasMessageContaining("netns_path");
  }
}
