package io.jrun.cni.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.cni.NetworkNamespace;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.host.HostKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The requests on the real kernel, in two namespaces of the test's own.
class NetlinkIT {
  private static final HostKernel KERNEL = new HostKernel();
  private static final Mac MAC = Mac.parse("0a:58:0a:01:00:02").orElseThrow();

  @SuppressWarnings("NullAway.Init")
  private NetworkNamespace host;

  @SuppressWarnings("NullAway.Init")
  private NetworkNamespace pod;

  @SuppressWarnings("NullAway.Init")
  private NetlinkSocket socket;

  @SuppressWarnings("NullAway.Init")
  private NetlinkSocket podSocket;

  @BeforeAll
  static void asRoot() throws IOException {
    assumeTrue((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0, "needs root");
  }

  @BeforeEach
  void makeNamespaces() {
    host = new NetworkNamespace(KERNEL);
    pod = new NetworkNamespace(KERNEL);
    socket = host.socket();
    podSocket = pod.socket();
  }

  @AfterEach
  void removeNamespaces() {
    socket.close();
    podSocket.close();
    host.close();
    pod.close();
  }

  private static IpAddress ip(String text) {
    return IpAddress.parse(text).orElseThrow();
  }

  private static Cidr cidr(String text) {
    return Cidr.parse(text).orElseThrow();
  }

  private Link link(NetlinkSocket in, String name) {
    return Links.find(in, name).orElseThrow();
  }

  private void veth(int podMtu) {
    Descriptor.Known file =
        (Descriptor.Known)
            KERNEL.call(
                new FileCall.Openat(
                    Descriptor.CWD, pod.path(), FileCall.O_RDONLY | FileCall.O_CLOEXEC, 0, false));
    try (OwnedDescriptor namespace = new OwnedDescriptor(KERNEL, file.number())) {
      socket.perform(
          Links.veth(
              new Links.VethEnd("veth0", null, 0),
              new Links.VethEnd("eth0", MAC, podMtu),
              namespace.number()));
    }
  }

  @Test
  void aPairIsMadeAcrossNamespacesAndItsPortWired() {
    veth(1400);
    socket.perform(Links.bridge("br0", 1500, false, null));
    Link bridge = link(socket, "br0");
    Link end = link(socket, "veth0");
    socket.perform(
        Links.portUp("veth0", bridge.index(), "net"),
        Links.portFlags(end.index(), "veth0", true, true),
        Links.flags(bridge.index(), "br0", Link.IFF_UP | Link.IFF_PROMISC, 0));
    Link inside = link(podSocket, "eth0");
    assertThat(inside.mac()).isEqualTo(MAC.text());
    assertThat(inside.mtu()).isEqualTo(1400);
    assertThat(inside.kind()).isEqualTo("veth");
    assertThat(inside.peer()).isEqualTo(end.index());
    assertThat(link(socket, "veth0").master()).isEqualTo(bridge.index());
    assertThat(link(socket, "br0").flags() & Link.IFF_PROMISC).isNotZero();
    assertThat(host.command("ip", "-d", "link", "show", "veth0"))
        .contains("hairpin on", "isolated on", "master br0", "alias net");
    podSocket.perform(Links.delete("eth0"));
    assertThat(Links.find(socket, "veth0")).isEmpty();
  }

  @Test
  void addressesAndRoutesOfBothFamilies() {
    veth(0);
    Link eth0 = link(podSocket, "eth0");
    int index = eth0.index();
    socket.perform(Links.up(link(socket, "veth0").index(), "veth0"));
    podSocket.perform(
        Addresses.add(index, cidr("10.1.0.2/24")),
        Addresses.add(index, cidr("fd00:1::2/64")),
        Links.up(index, "eth0"),
        Routes.add(new RouteEntry(cidr("0.0.0.0/0"), ip("10.1.0.1"), index)),
        Routes.add(new RouteEntry(cidr("::/0"), ip("fd00:1::1"), index)),
        Routes.add(
            new RouteEntry(
                cidr("10.2.0.0/16"),
                ip("10.1.0.3"),
                index,
                ip("10.1.0.2"),
                1300,
                1200,
                7,
                1000,
                0,
                false,
                3)),
        Routes.add(new RouteEntry(cidr("10.9.0.0/16"), ip("10.8.0.1"), index).onlink()));
    assertThat(Addresses.of(podSocket, index)).contains(cidr("10.1.0.2/24"), cidr("fd00:1::2/64"));
    List<RouteEntry> routes = Routes.all(podSocket, false);
    assertThat(routes)
        .contains(
            new RouteEntry(
                cidr("10.2.0.0/16"),
                ip("10.1.0.3"),
                index,
                ip("10.1.0.2"),
                1300,
                1200,
                7,
                1000,
                0,
                false,
                3))
        .anyMatch(r -> r.leadsAs(new RouteEntry(cidr("0.0.0.0/0"), ip("10.1.0.1"), index)));
    assertThat(Routes.all(podSocket, true))
        .anyMatch(r -> r.leadsAs(new RouteEntry(cidr("::/0"), ip("fd00:1::1"), index)));
    assertThat(pod.command("ip", "-6", "addr", "show", "eth0"))
        .contains("fd00:1::2/64")
        .doesNotContain("fd00:1::2/64 scope global tentative");
    assertThat(pod.command("ip", "route")).contains("10.9.0.0/16 via 10.8.0.1 dev eth0 onlink");
    podSocket.perform(Routes.delete(new RouteEntry(cidr("0.0.0.0/0"), ip("10.1.0.1"), index)));
    assertThat(pod.command("ip", "route")).doesNotContain("default");
  }

  @Test
  void neighboursAndForwardingEntries() {
    veth(0);
    Link under = link(socket, "veth0");
    socket.perform(
        Addresses.add(under.index(), cidr("192.168.7.1/24")),
        Links.up(under.index(), "veth0"),
        Links.vxlan("vx0", 42, under.index(), ip("192.168.7.1"), 8472, MAC, 1450));
    Link vxlan = link(socket, "vx0");
    Mac other = Mac.parse("0a:58:00:00:00:09").orElseThrow();
    socket.perform(
        Links.up(vxlan.index(), "vx0"),
        Neighbours.set(vxlan.index(), ip("10.244.2.0"), other),
        Neighbours.setForwarding(vxlan.index(), other, ip("192.168.7.2")));
    assertThat(host.command("ip", "-d", "link", "show", "vx0"))
        .contains("vxlan id 42 local 192.168.7.1 dev veth0", "dstport 8472 nolearning");
    assertThat(Neighbours.all(socket, vxlan.index(), false))
        .anyMatch(e ->
            e.isPermanent()
                && e.mac().equals(other.text())
                && ip("10.244.2.0").equals(e.address()));
    assertThat(Neighbours.forwarding(socket, vxlan.index()))
        .anyMatch(e -> e.mac().equals(other.text()) && ip("192.168.7.2").equals(e.address()));
    socket.perform(
        Neighbours.deleteForwarding(vxlan.index(), other, ip("192.168.7.2")),
        Neighbours.delete(vxlan.index(), ip("10.244.2.0"), other));
    assertThat(Neighbours.forwarding(socket, vxlan.index()))
        .noneMatch(e -> e.mac().equals(other.text()));
  }

  @Test
  void macvlanDevices() {
    veth(0);
    socket.perform(Links.macvlan("mac0", link(socket, "veth0").index(), 4));
    assertThat(host.command("ip", "-d", "link", "show", "mac0")).contains("macvlan mode bridge");
  }

  @Test
  void vlanDevices() {
    veth(0);
    int under = link(socket, "veth0").index();
    Answer vlan = socket.attempt(Links.vlan("vlan7", under, 7));
    assumeTrue(!vlan.is(Errno.EOPNOTSUPP), "this kernel has no vlan devices");
    vlan.orThrow();
    assertThat(host.command("ip", "-d", "link", "show", "vlan7"))
        .contains("vlan protocol 802.1Q id 7");
  }

  @Test
  void ipipDevices() {
    veth(0);
    int under = link(socket, "veth0").index();
    Answer ipip = socket.attempt(Links.ipip("tun0", under, ip("192.168.7.1"), 1480));
    assumeTrue(!ipip.is(Errno.EOPNOTSUPP), "this kernel has no ipip devices");
    ipip.orThrow();
    assertThat(link(socket, "tun0").mtu()).isEqualTo(1480);
  }

  @Test
  void aFailureNamesTheRequestAndWhatTheKernelSays() {
    socket.perform(Links.bridge("br0", 0, false, null));
    assertThatThrownBy(() -> socket.perform(Links.bridge("br0", 0, false, null)))
        .hasMessage("RTM_NEWLINK bridge br0: EEXIST (file exists)");
    int lo = link(socket, "lo").index();
    assertThatThrownBy(() ->
            socket.perform(Routes.add(new RouteEntry(cidr("10.0.0.0/8"), ip("10.9.9.9"), lo))))
        .hasMessageStartingWith("RTM_NEWROUTE 10.0.0.0/8 via 10.9.9.9: ")
        .hasMessageContaining("Nexthop has invalid gateway");
  }

  @Test
  void aFailureInTheMiddleIsToldAndTheRestStillDone() {
    List<Answer> answers =
        socket.exchange(
            List.of(
                Links.bridge("br0", 0, false, null),
                Links.bridge("br0", 0, false, null),
                Links.get("br0"),
                Links.bridge("br1", 0, false, null)));
    assertThat(answers).extracting(Answer::errno).containsExactly(0, Errno.EEXIST.value(), 0, 0);
    assertThat(Links.of(answers.get(2))).map(Link::name).contains("br0");
    assertThat(Links.all(socket)).extracting(Link::name).contains("br0", "br1", "lo");
  }

  @Test
  void longListsComeWhole() {
    for (int i = 0; i < 6; i++) {
      Request[] many = new Request[20];
      for (int j = 0; j < many.length; j++)
        many[j] = Links.bridge("d" + i + "x" + j, 0, false, null);
      socket.perform(many);
    }
    assertThat(Links.all(socket)).hasSizeGreaterThanOrEqualTo(121);
  }
}
