package io.jrun.rootfs.unpack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class PathsTest {
  @Test
  void nothingLeadsAboveTheRoot() {
    assertThat(Paths.of("a/b")).isEqualTo("a/b");
    assertThat(Paths.of("./a//b/")).isEqualTo("a/b");
    assertThat(Paths.of("/etc/passwd")).isEqualTo("etc/passwd");
    assertThat(Paths.of("../../x")).isEqualTo("x");
    assertThat(Paths.of("a/../../../b/./c/..")).isEqualTo("b");
    assertThat(Paths.of("..a/.b/...")).isEqualTo("..a/.b/...");
    for (String root : List.of("", ".", "./", "/", "..", "a/..", "///"))
      assertThat(Paths.of(root)).as(root).isEmpty();
  }

  @Test
  void namesThatNoFileCanHaveAreRefused() {
    assertThatThrownBy(() -> Paths.of("a\0b")).hasMessageContaining("NUL");
    assertThatThrownBy(() -> Paths.of("x/" + "n".repeat(256))).hasMessageContaining("255");
    assertThatThrownBy(() -> Paths.of("\u00e9".repeat(128))).hasMessageContaining("255");
    assertThat(Paths.of("\u00e9".repeat(127))).hasSize(127);
    assertThatThrownBy(() -> Paths.of("n/".repeat(2049))).hasMessageContaining("4095");
  }

  @Test
  void fingerprintsForgetNothing() {
    Fingerprints set = new Fingerprints();
    for (int i = 0; i < 20_000; i++) set.add(Fingerprints.of("usr/share/" + i));
    for (int i = 0; i < 20_000; i++)
      assertThat(set.contains(Fingerprints.of("usr/share/" + i))).isTrue();
    int wrong = 0;
    for (int i = 0; i < 20_000; i++) if (set.contains(Fingerprints.of("usr/lib/" + i))) wrong++;
    assertThat(wrong).isZero();
  }

  @Test
  void ownersAreRecordedAsRootlesscontainersSays() {
    assertThat(Attributes.owner(0, 300)).containsExactly(0x10, 0xac, 2);
    assertThat(Attributes.owner(1, 0)).containsExactly(8, 1);
  }

  @Test
  void mappedIdsMustBeInARange() {
    IdMap map = IdMap.parse(List.of("0:100000:10", "50:0:1"));
    assertThat(map.outside(9, "f")).isEqualTo(100009);
    assertThat(map.outside(50, "f")).isZero();
    assertThatThrownBy(() -> map.outside(10, "f")).hasMessageContaining("no mapping");
    assertThatThrownBy(() -> IdMap.parse(List.of("1:2"))).hasMessageContaining("1:2");
    assertThatThrownBy(() -> IdMap.parse(List.of("1:2:0"))).hasMessageContaining("1:2:0");
  }
}
