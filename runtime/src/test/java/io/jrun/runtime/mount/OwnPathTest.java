package io.jrun.runtime.mount;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OwnPathTest {
  @ParameterizedTest
  @CsvSource({
    "/b/rootfs, /b/rootfs/mnt, /mnt",
    "/b/./rootfs/, /b//x/../rootfs/mnt/../etc, /etc",
    "/b/rootfs, /b/rootfs/b/rootfs/mnt, /b/rootfs/mnt",
  })
  void goesWithoutTheRootsPath(String rootfs, String path, String own) {
    assertThat(OwnPath.of(rootfs, path)).contains(own);
  }

  @ParameterizedTest
  @CsvSource({
    "/b/rootfs, /b/rootfs",
    "/b/rootfs, /b/rootfs/mnt/..",
    "/b/rootfs, /b/rootfs2/mnt",
    "/b/rootfs, /mnt",
    "/b/rootfs, b/rootfs/mnt",
    "/, /mnt",
  })
  void leadsElsewhere(String rootfs, String path) {
    assertThat(OwnPath.of(rootfs, path)).isEmpty();
  }

  @Test
  void theHostsRootHasNoPathOfItsOwn() {
    assertThat(OwnPath.of("/.", "/./mnt")).isEmpty();
  }
}
