package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
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
    Path ingest = temp.resolve("store/ingest");
    if (Files.exists(ingest)) assertThat(ingest).isEmptyDirectory();
  }

  @Test
  void aKilledPullLeavesAWholeStore() throws IOException {
    image("load", "--name", "app", layout.directory().toString()).succeeds();
    boolean isKilled = true;
    for (int moment = 1; isKilled; moment++) {
      try (TinyRegistry registry = new TinyRegistry("")) {
        String name = registry.host() + "/r/app:1";
        image("push", "--plain-http", "app", name).succeeds();
        image("rm", "app").succeeds();
        registry.restart();
        isKilled = killAt(moment, registry, imageCommand("pull", "--plain-http", name));
        assertThat(image("list", "-q").succeeds().text().isEmpty()).isEqualTo(isKilled);
        image("verify").succeeds();
        if (moment % 2 == 0) assertThatTheStoreIsWhole();
        image("pull", "--plain-http", name).succeeds();
        assertThatTheStoreIsWhole();
        image("tag", name, "app").succeeds();
        image("rm", name).succeeds();
      }
    }
  }

  @Test
  void aKilledPushLeavesNoImageThatLacksAPart() throws IOException {
    image("load", "--name", "app", layout.directory().toString()).succeeds();
    boolean isKilled = true;
    for (int moment = 1; isKilled; moment += 3) {
      try (TinyRegistry registry = new TinyRegistry("")) {
        String name = registry.host() + "/r/app:1";
        isKilled = killAt(moment, registry, imageCommand("push", "--plain-http", "app", name));
        assertThat(registry.isWhole()).as("killed at moment %d", moment).isTrue();
        assertThat(registry.hasImages()).isEqualTo(!isKilled);
        image("push", "--plain-http", "app", name).succeeds();
        assertThat(registry.isWhole()).isTrue();
        assertThat(registry.hasImages()).isTrue();
      }
    }
    assertThatTheStoreIsWhole();
    image("inspect", "app").succeeds();
  }

  @Test
  void aLoadThatIsKilledInTheMiddleOfItsStreamLeavesNothing() throws IOException {
    Path archive = layout.as("oci-archive", "oci.tar");
    Set<String> before = spooled();
    long size = Files.size(archive);
    for (long part : List.of(512L, size / 2, size - 512)) {
      Command load = imageCommand("load", "--name", "app", "-");
      List<String> words = new ArrayList<>(List.of("bash", "-c"));
      words.add("(head -c " + part + " " + archive + "; exec sleep 1000) | \"$@\"");
      words.add("load");
      words.addAll(load.words());
      killAfter(1500, Command.of(words));
      assertThat(spooled()).isEqualTo(before);
      assertThat(image("list", "-q").succeeds().text()).isEmpty();
      assertThatTheStoreIsWhole();
    }
    image("load", "--name", "app", archive.toString()).succeeds();
    assertThatTheStoreIsWhole();
  }

  private static Set<String> spooled() throws IOException {
    try (var files = Files.list(Path.of("/var/tmp"))) {
      return files
          .map(Path::toString)
          .filter(name -> name.contains("/jrun-"))
          .collect(Collectors.toSet());
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
