package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// The cgroups of a container that is saved, on a machine with one more hierarchy, which nobody has
/// mounted: the kernel keeps it as long as it has groups.
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
@JrunOnly // runc has CRIU save every hierarchy
class CheckpointCgroupsIT extends CheckpointTest {
  private static final List<String> OTHERS = List.of("", "others", "others/deep");

  private Path point = Path.of("/");
  private boolean made;

  @BeforeEach
  void makeTheHierarchy() throws IOException {
    point = Files.createDirectory(temp.resolve("hierarchy"));
    Outcome mounted = mount().run();
    assumeTrue(mounted.status() == 0, "no hierarchies of cgroup v1: " + mounted.err());
    made = true;
    Files.createDirectories(point.resolve("others/deep"));
    umount();
  }

  @AfterEach
  void removeTheHierarchy() throws IOException {
    if (!made) return;
    for (String left : ids()) runtime("delete", "--force", left);
    mount().run().succeeds();
    try {
      for (String group : groups().reversed())
        if (!group.isEmpty()) Files.delete(point.resolve(group));
    } finally {
      umount();
    }
    // it stays while the kernel has yet to release a group, until it is unmounted once more
    assertThat(eventually(() -> isGone() || mountsOnce())).as("the hierarchy is gone").isTrue();
  }

  private Command mount() {
    return Command.of("mount", "-t", "cgroup", "-o", "none,name=" + tag, "none", point.toString());
  }

  private void umount() {
    Command.of("umount", point.toString()).run().succeeds();
  }

  private boolean isGone() {
    try {
      return !Files.readString(Path.of("/proc/self/cgroup")).contains("name=" + tag);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean mountsOnce() {
    mount().run().succeeds();
    umount();
    return isGone();
  }

  private List<String> groups() throws IOException {
    try (Stream<Path> walk = Files.walk(point)) {
      return walk.filter(Files::isDirectory)
          .map(path -> point.relativize(path).toString())
          .sorted()
          .toList();
    }
  }

  private List<String> groupsOfTheHierarchy() throws IOException {
    mount().run().succeeds();
    try {
      return groups();
    } finally {
      umount();
    }
  }

  @Test
  void aHierarchyThatIsNotTheContainersIsNeitherSavedNorWrittenTo() throws IOException {
    startCounting();
    for (int round = 0; round < 2; round++) {
      checkpoint().succeeds();
      int saved = count();
      byte[] image = Files.readAllBytes(images.resolve("cgroup.img"));
      assertThat(new String(image, StandardCharsets.ISO_8859_1)).doesNotContain("name=" + tag);
      restore();
      awaitCountAbove(saved);
      assertThat(groupsOfTheHierarchy()).isEqualTo(OTHERS);
    }
  }

  @Test
  void norIsItWhereTheImagesHaveIt() throws IOException {
    Machine.assumeInstalled("runc");
    config.remove("/linux", "namespaces");
    config.namespaces("pid", "mount", "ipc", "uts", "network");
    bundle.write(config);
    List<String> runc = List.of("runc", "--root", temp.resolve("runc-state").toString());
    List<String> run = new ArrayList<>(runc);
    run.addAll(List.of("run", "-d", "--bundle", bundle.path().toString(), id));
    try {
      quietly(Command.of(run)).succeeds();
      awaitCountAbove(0);
      List<String> save = new ArrayList<>(runc);
      save.addAll(List.of("checkpoint", "--image-path", images.toString(), id));
      Command.of(save).run().succeeds();
    } finally {
      List<String> delete = new ArrayList<>(runc);
      delete.addAll(List.of("delete", "--force", id));
      Command.of(delete).run();
    }
    int saved = count();
    restore();
    awaitCountAbove(saved);
    assertThat(groupsOfTheHierarchy()).isEqualTo(OTHERS);
  }
}
