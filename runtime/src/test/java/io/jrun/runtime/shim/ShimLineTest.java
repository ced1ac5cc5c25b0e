package io.jrun.runtime.shim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ShimLineTest {
  @Test
  void flagsAreThoseOfGo() {
    ShimLine line =
        ShimLine.parse(
            List.of(
                "shim",
                "-namespace",
                "ns",
                "--address=/a.sock",
                "-publish-binary",
                "/bin/containerd",
                "-id",
                "c1",
                "-debug",
                "-bundle",
                "/b",
                "delete"));
    assertThat(line).isEqualTo(new ShimLine("ns", "/a.sock", "c1", "/b", "delete", false, false));
  }

  @Test
  void versionAndInfoNeedNothingElse() {
    assertThat(ShimLine.parse(List.of("shim", "-v")).version()).isTrue();
    assertThat(ShimLine.parse(List.of("shim", "-info")).info()).isTrue();
  }
}
