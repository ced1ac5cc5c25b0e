package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Commands on images that are killed at some moment, engine and all, and what follows: a store
/// that is whole, a repetition that succeeds, and nothing that stays.
@JrunOnly
class KilledImagesIT extends ImageStoreTest {
  private static final int STEP_MILLIS = 230;
  private static final int MOST_MILLIS = 1200;

  @SuppressWarnings("NullAway.Init")
  private ImageLayout layout;

  @BeforeEach
  void makeImage() {
    layout = ImageLayout.make(temp);
  }

  private void assertThatTheStoreIsWhole() throws IOException {
    image("list").succeeds();
    image("verify").succeeds();
    image("prune").succeeds();
    assertThat(temp.resolve("store/ingest")).isEmptyDirectory();
  }

  @Test
  void aKilledPullLeavesAWholeStore() throws IOException {
    image("load", "--name", "app", layout.directory().toString()).succeeds();
    try (TinyRegistry registry = new TinyRegistry("")) {
      String name = registry.host() + "/r/app:1";
      image("push", "--plain-http", "app", name).succeeds();
      image("rm", "app").succeeds();
      for (int millis = 0; millis < MOST_MILLIS; millis += STEP_MILLIS) {
        killAfter(millis, imageCommand("pull", "--plain-http", name));
        assertThatTheStoreIsWhole();
        if (!image("list", "-q").text().isEmpty()) image("rm", name).succeeds();
      }
      image("pull", "--plain-http", name).succeeds();
      assertThatTheStoreIsWhole();
      image("inspect", name).succeeds();
    }
  }

  @Test
  void aKilledPruneLeavesAWholeStore() throws IOException {
    for (int millis = 0; millis < MOST_MILLIS; millis += STEP_MILLIS) {
      image("load", "--name", "app", layout.directory().toString()).succeeds();
      runImage(newId(), "-c", "true").succeeds();
      Path index = temp.resolve("store/index.json");
      String named = Files.readString(index);
      Files.writeString(index, named.replace("org.opencontainers.image.ref.name", "no.name"));
      killAfter(millis, imageCommand("prune"));
      // another name for what may be half gone
      image("load", "--name", "app", layout.directory().toString()).succeeds();
      assertThatTheStoreIsWhole();
      assertThat(runImage(newId(), "-c", "cat /d/three").succeeds().text()).isEqualTo("new");
      image("rm", "app").succeeds();
      assertThat(temp.resolve("store/snapshots")).isEmptyDirectory();
    }
  }

  @Test
  void aKilledUnpackLeavesAllOrNothing() throws IOException {
    List<String> expected = null;
    String to = temp + "/to";
    for (int millis = 0; millis < MOST_MILLIS; millis += STEP_MILLIS) {
      killAfter(millis, command("rootfs", "unpack", layout.directory().toString(), to));
      boolean isThere = Files.exists(Path.of(to));
      if (!isThere) runtime("rootfs", "unpack", layout.directory().toString(), to).succeeds();
      List<String> tree =
          Trees.of(Path.of(to)).stream().filter(line -> !line.startsWith("\td\t")).toList();
      if (expected == null) expected = tree;
      assertThat(tree).isEqualTo(expected);
      Command.of("rm", "-rf", to).run().succeeds();
    }
    runtime("rootfs", "unpack", layout.directory().toString(), to).succeeds();
    try (var files = Files.list(temp)) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .noneMatch(name -> name.contains(".jrun-"));
    }
  }
}
