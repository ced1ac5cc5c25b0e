package io.jrun.cni.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MessagesTest {
  private static final IpAddress IP = IpAddress.parse("10.1.0.2").orElseThrow();
  private static final Cidr NET = Cidr.parse("10.1.0.2/24").orElseThrow();

  private static List<Request> samples() {
    Mac mac = Mac.parse("0a:58:0A:01:00:02").orElseThrow();
    return List.of(
        Links.veth(new Links.VethEnd("veth0", null, 0), new Links.VethEnd("eth0", mac, 1400), 9),
        Links.bridge("br0", 1500, true, null),
        Links.vxlan("vx0", 42, 3, IP, 8472, mac, 1450),
        Links.portFlags(4, "veth0", true, true),
        Links.portVlan(4, "veth0", 100),
        Addresses.add(2, NET),
        Routes.add(new RouteEntry(NET.network(), IP, 2, IP, 1400, 1360, 5, 1000, 0, true, 3)),
        Neighbours.setForwarding(7, mac, IP));
  }

  @Test
  void anAddressRequestHasTheKernelsLayout() {
    assertThat(HexFormat.of().formatHex(Addresses.add(2, NET).bytes(7, true)))
        .isEqualTo(
            // length 48, RTM_NEWADDR, REQUEST|ACK|CREATE|EXCL, sequence 7
            "3000000014000506070000000000000002180000"
                + "02000000"
                + "080002000a010002"
                + "080001000a010002"
                + "080004000a0100ff");
  }

  @Test
  void everyMessageIsAlignedAndSaysItsLength() {
    for (Request request : samples()) {
      byte[] bytes = request.bytes(1, false);
      assertThat(bytes.length % 4).as(request.text()).isZero();
      Reply reply = Reply.split(bytes).getFirst();
      assertThat(reply.payload()).hasSize(bytes.length - 16);
    }
  }

  @Test
  void nestedAttributesAreFoundAgain() {
    byte[] bytes = Links.vxlan("vx0", 42, 3, IP, 8472, null, 0).bytes(1, false);
    Attributes attributes = Reply.split(bytes).getFirst().attributes(16);
    assertThat(attributes.string(Link.IFLA_IFNAME)).isEqualTo("vx0");
    Attributes info = attributes.nested(Link.IFLA_LINKINFO);
    assertThat(info.string(Link.IFLA_INFO_KIND)).isEqualTo("vxlan");
    assertThat(info.nested(2).u32(1, 0)).isEqualTo(42);
    assertThat(info.nested(2).bytes(15)).containsExactly(0x21, 0x18);
    assertThat(info.nested(9).has(1)).isFalse();
  }

  @Test
  void damagedAnswersAreRefusedOrReadAsFarAsTheyGo() {
    long seed = 20260;
    Random random = new Random(seed);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Request request : samples()) all.writeBytes(request.bytes(random.nextInt(), false));
    byte[] good = all.toByteArray();
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] bad = Arrays.copyOf(good, random.nextInt(good.length + 1));
      for (int n = random.nextInt(6); n > 0 && bad.length > 0; n--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      try {
        for (Reply reply : Reply.split(bad)) {
          Link.read(reply);
          RouteEntry.read(reply);
          reply.attributes(random.nextInt(24)).nested(random.nextInt(20)).string(1);
        }
      } catch (NetlinkException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", round " + i, e);
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void aTruncatedDatagramIsRefused() {
    byte[] bytes = Addresses.add(2, NET).bytes(7, true);
    for (int size = 1; size < bytes.length; size++) {
      byte[] cut = Arrays.copyOf(bytes, size);
      assertThatThrownBy(() -> Reply.split(cut)).isInstanceOf(NetlinkException.class);
    }
    assertThat(Reply.split(new byte[0])).isEmpty();
  }

  /// IFLA_IPTUN_LINK is 1, IFLA_IPTUN_LOCAL 2; without a remote end the device goes to any.
  @Test
  void anIpipDeviceHasItsUnderlayAndItsOwnAddress() {
    byte[] bytes = Links.ipip("scipip", 3, IP, 1480).bytes(1, true);
    Attributes attributes = Reply.split(bytes).getFirst().attributes(16);
    assertThat(attributes.string(Link.IFLA_IFNAME)).isEqualTo("scipip");
    assertThat(attributes.u32(Link.IFLA_MTU, 0)).isEqualTo(1480);
    Attributes info = attributes.nested(Link.IFLA_LINKINFO);
    assertThat(info.string(Link.IFLA_INFO_KIND)).isEqualTo("ipip");
    assertThat(info.nested(2).u32(1, 0)).isEqualTo(3);
    assertThat(info.nested(2).bytes(2)).containsExactly(10, 1, 0, 2);
    assertThat(info.nested(2).has(3)).isFalse();
  }

  /// The gateway of a node's subnet is that node itself, whom no subnet of the device contains.
  @Test
  void aRouteThroughAnIpipDeviceIsOnlink() {
    byte[] bytes =
        Routes.replace(new RouteEntry(NET.network(), IP, 9).onlink(), 106).bytes(1, true);
    Reply reply = Reply.split(bytes).getFirst();
    assertThat(reply.i32(8) & 4).isEqualTo(4); // RTNH_F_ONLINK
    assertThat(reply.u8(5)).isEqualTo(106);
    assertThat(reply.attributes(12).u32(4, 0)).isEqualTo(9);
  }
}
