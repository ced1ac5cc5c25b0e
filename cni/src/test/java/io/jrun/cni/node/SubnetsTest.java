package io.jrun.cni.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.cni.address.Cidr;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SubnetsTest {
  private static Cidr cidr(String text) {
    return Cidr.parse(text).orElseThrow();
  }

  private static String first(String network, int length, String... taken) {
    List<Cidr> others = Stream.of(taken).map(SubnetsTest::cidr).toList();
    return Subnets.firstFree(cidr(network), length, others).map(Cidr::toString).orElse("none");
  }

  @Test
  void theFirstPartThatNobodyHasIsTaken() {
    assertThat(first("10.244.0.0/16", 24)).isEqualTo("10.244.0.0/24");
    assertThat(first("10.244.0.0/16", 24, "10.244.0.0/24", "10.244.1.0/24"))
        .isEqualTo("10.244.2.0/24");
    assertThat(first("10.244.0.0/16", 24, "10.244.0.128/25")).isEqualTo("10.244.1.0/24");
    assertThat(first("10.244.0.0/16", 24, "10.244.0.0/20")).isEqualTo("10.244.16.0/24");
    assertThat(first("fd00:1::/48", 64, "fd00:1::/64")).isEqualTo("fd00:1:0:1::/64");
  }

  @Test
  void noneIsLeftWhenAllAreTakenOrTheyWouldBeTooLarge() {
    assertThat(first("10.244.0.0/23", 24, "10.244.0.0/24", "10.244.1.0/24")).isEqualTo("none");
    assertThat(first("10.244.0.0/24", 16)).isEqualTo("none");
  }
}
