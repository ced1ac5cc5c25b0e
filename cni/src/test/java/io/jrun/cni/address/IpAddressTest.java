package io.jrun.cni.address;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IpAddressTest {
  private static IpAddress ip(String text) {
    return IpAddress.parse(text).orElseThrow();
  }

  private static Cidr cidr(String text) {
    return Cidr.parse(text).orElseThrow();
  }

  @Test
  void textsAreThoseOfRfc5952() {
    for (String text :
        new String[] {
          "0.0.0.0",
          "255.255.255.255",
          "10.1.2.3",
          "::",
          "::1",
          "fd00::",
          "fd00::1:0:0:2",
          "1:2:3:4:5:6:7:8",
          "2001:db8::1",
          "1:0:3:4:5:6:7:8",
          "::2:0:0:0:0"
        }) {
      assertThat(IpAddress.parse(text)).map(IpAddress::toString).contains(normal(text));
    }
  }

  private static String normal(String text) {
    return text.equals("::2:0:0:0:0") ? "0:0:0:2::" : text;
  }

  @Test
  void randomAddressesSurviveARoundTrip() throws Exception {
    long seed = 7;
    Random random = new Random(seed);
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
      random.nextBytes(bytes);
      for (int n = random.nextInt(12); n > 0; n--) bytes[random.nextInt(bytes.length)] = 0;
      IpAddress address = IpAddress.of(bytes);
      InetAddress java = InetAddress.getByAddress(bytes);
      // of IPv6 addresses that embed one of IPv4, Java makes that one
      if (java.getAddress().length != bytes.length) continue;
      assertThat(IpAddress.parse(address.toString()))
          .as("seed %d: %s", seed, java)
          .contains(address);
    }
  }

  @Test
  void whatIsNoAddressIsNone() {
    for (String text :
        new String[] {
          "", "1.2.3", "1.2.3.256", "host", "1.2.3.4.5", ":::", "fe80::1%eth0", "01.2.3.x"
        }) {
      assertThat(IpAddress.parse(text)).as(text).isEmpty();
    }
    for (String text :
        new String[] {"1.2.3.4", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "::/129", "/8"}) {
      assertThat(Cidr.parse(text)).as(text).isEmpty();
    }
  }

  @Test
  void networksKnowTheirBounds() {
    assertThat(cidr("10.1.2.3/20").network()).hasToString("10.1.0.0/20");
    assertThat(cidr("10.1.2.3/20").last()).isEqualTo(ip("10.1.15.255"));
    assertThat(cidr("fd00::5/120").last()).isEqualTo(ip("fd00::ff"));
    assertThat(cidr("10.1.2.3/32").last()).isEqualTo(ip("10.1.2.3"));
    assertThat(cidr("10.0.0.0/8").contains(ip("10.255.0.1"))).isTrue();
    assertThat(cidr("10.0.0.0/8").contains(ip("11.0.0.1"))).isFalse();
    assertThat(cidr("::/0").contains(ip("11.0.0.1"))).isFalse();
    assertThat(cidr("10.0.0.0/8").overlaps(cidr("10.9.0.0/16"))).isTrue();
    assertThat(cidr("10.8.0.0/16").overlaps(cidr("10.9.0.0/16"))).isFalse();
  }

  @Test
  void arithmeticCarries() {
    assertThat(ip("10.0.0.255").plus(1)).isEqualTo(ip("10.0.1.0"));
    assertThat(ip("10.0.1.0").plus(-1)).isEqualTo(ip("10.0.0.255"));
    assertThat(ip("255.255.255.255").plus(1)).isEqualTo(ip("0.0.0.0"));
    assertThat(ip("fd00::ffff").plus(1)).isEqualTo(ip("fd00::1:0"));
    assertThat(ip("9.255.255.255")).isLessThan(ip("10.0.0.0"));
    assertThat(ip("255.0.0.0")).isLessThan(ip("::1"));
  }
}
