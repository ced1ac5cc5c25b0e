package io.jrun.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.kernel.KernelException;
import io.jrun.kernel.host.HostKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerLinksTest {
  private static final Path LAYER = Path.of("/layer");

  /// The kernel links to no empty path (symlink(2), ENOENT).
  private static final Path IMPOSSIBLE = Path.of("");

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path temp;

  @Test
  void aLinkThatFailsLeavesNothing() {
    for (List<Path> layers : List.of(List.of(IMPOSSIBLE), List.of(LAYER, IMPOSSIBLE))) {
      try (LayerLinks links = new LayerLinks(new HostKernel(), temp.resolve("links"))) {
        assertThatThrownBy(() -> links.reach(layers)).isInstanceOf(KernelException.class);
      }
      assertThat(temp).isEmptyDirectory();
    }
  }

  @Test
  void whatFailedCanBeTriedAgain() {
    Path directory = temp.resolve("links");
    try (LayerLinks links = new LayerLinks(new HostKernel(), directory)) {
      assertThatThrownBy(() -> links.reach(List.of(IMPOSSIBLE)))
          .isInstanceOf(KernelException.class);
      links.reach(List.of(LAYER, LAYER));
      assertThat(Files.isSymbolicLink(directory.resolve("1"))).isTrue();
    }
    assertThat(temp).isEmptyDirectory();
  }
}
