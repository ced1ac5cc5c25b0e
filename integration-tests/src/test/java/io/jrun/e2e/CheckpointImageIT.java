package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// `checkpoint` and `restore` where the container is one of an image: its root file system is the
/// image store's, and goes with it.
@JrunOnly
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
class CheckpointImageIT extends ImageStoreTest {
  private static final String COUNT =
      "i=0; while :; do i=$((i+1)); echo $i > /new; busybox mv /new /count; busybox sleep 0.05; done";

  private Path bundle() {
    return temp.resolve("store/bundles").resolve(id);
  }

  private void startCounting() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    image("load", "--name", "app", layout.directory().toString()).succeeds();
    List<String> words =
        new ArrayList<>(List.of("sh", "-c", "exec \"$@\" > /dev/null 2>&1 < /dev/null", "sh"));
    words.addAll(runCommand("--detach", "-u", "root", id, "-c", COUNT).words());
    Command.of(words).in(temp).run().succeeds();
    awaitCountAbove(0);
  }

  private int count() throws IOException {
    Path file = bundle().resolve("upper/count");
    return Files.exists(file) ? Integer.parseInt(Files.readString(file).strip()) : 0;
  }

  private void awaitCountAbove(int count) {
    assertThat(
            eventually(() -> {
              try {
                return count() > count;
              } catch (IOException e) {
                return false; // it was replaced just then
              }
            }))
        .isTrue();
  }

  private Outcome checkpoint(String... flags) {
    List<String> words = new ArrayList<>(List.of("checkpoint", "--image-path", temp + "/images"));
    words.addAll(List.of(flags));
    words.add(id);
    return command(words.toArray(String[]::new)).in(temp).run();
  }

  @Test
  void whatCouldNotBeRestoredIsNotEnded() throws IOException {
    startCounting();
    checkpoint().failsInOneLine("--leave-running");
    assertThat(status()).isEqualTo("running");
    awaitCountAbove(count());
    assertThat(temp.resolve("images")).doesNotExist();
  }

  @Test
  void aBundleOfTheStoreIsNotRestoredInto() throws IOException {
    startCounting();
    checkpoint("--leave-running").succeeds();
    String other = newId();
    command(
            "restore",
            "--detach",
            "--image-path",
            temp + "/images",
            "--bundle",
            bundle() + "",
            other)
        .run()
        .failsInOneLine("a bundle of the image store");
    assertThat(ids()).containsExactly(id);
    assertThat(bundle().resolve("rootfs")).isEmptyDirectory();
  }
}
