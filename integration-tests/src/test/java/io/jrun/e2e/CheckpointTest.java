package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;

/// What tests of `checkpoint` and `restore` have, with the `criu` of the PATH. The container counts
/// in a file of a bind mount; its standard descriptors are /dev/null, as CRIU saves no files from
/// outside.
abstract class CheckpointTest extends EndToEnd {
  static final String NO_CRIU = "no criu that can check itself on this kernel";

  static final String COUNT =
      "trap 'exit 9' TERM; i=0; while :; do i=$((i+1)); echo $i > /mnt/new; mv /mnt/new /mnt/count; echo $i >> /mnt/all; sleep 0.05; done";

  Path out = Path.of("/");
  Path images = Path.of("/");

  static boolean criuWorks() {
    return Command.of("sh", "-c", "command -v criu && criu check").run().status() == 0;
  }

  static void assumeFeature(String feature) {
    assumeTrue(
        Command.of("criu", "check", "--feature", feature).run().status() == 0,
        "criu has no " + feature + " on this kernel");
  }

  @BeforeEach
  void mountTheOutput() throws IOException {
    out = Files.createDirectory(temp.resolve("out"));
    images = temp.resolve("images");
    config
        .mount("{destination:'/mnt',type:'bind',source:'%s',options:['bind','rw']}".formatted(out))
        .sh(COUNT);
  }

  /// With /dev/null for what the container keeps, and the log for what is wrong.
  final Outcome quietly(Command command) throws IOException {
    Path log = temp.resolve("log");
    Files.deleteIfExists(log);
    List<String> words =
        new ArrayList<>(List.of("sh", "-c", "exec \"$@\" > /dev/null 2>&1 < /dev/null", "sh"));
    words.addAll(command.words());
    words.addAll(words.indexOf("--root"), List.of("--log", log.toString()));
    Outcome outcome = Command.of(words).in(temp).run();
    return new Outcome(words, outcome.status(), "", Files.exists(log) ? Files.readString(log) : "");
  }

  final void startCounting() throws IOException {
    quietly(onBundle("create")).succeeds();
    runtime("start", id).succeeds();
    awaitCountAbove(0);
  }

  final int count() {
    try {
      String text = Files.readString(out.resolve("count")).strip();
      return text.isEmpty() ? 0 : Integer.parseInt(text);
    } catch (IOException e) {
      return 0; // not yet
    }
  }

  final void awaitCountAbove(int count) {
    assertThat(eventually(() -> count() > count)).as("the container counts on").isTrue();
  }

  final Outcome checkpoint(String... flags) {
    List<String> words = new ArrayList<>(List.of("checkpoint", "--image-path", images.toString()));
    words.addAll(List.of(flags));
    words.add(id);
    return command(words.toArray(String[]::new)).in(temp).run();
  }

  final Command restoreCommand(String... flags) throws IOException {
    List<String> words = new ArrayList<>(List.of("--image-path", images.toString()));
    words.addAll(List.of(flags));
    return onBundle("restore", words.toArray(String[]::new));
  }

  final void restore(String... flags) throws IOException {
    List<String> words = new ArrayList<>(List.of("--detach"));
    words.addAll(List.of(flags));
    quietly(restoreCommand(words.toArray(String[]::new))).succeeds();
    assertThat(status()).isEqualTo("running");
  }

  static String said(Command.Running running) {
    try {
      return running.outputSoFar();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  final String log(String name) throws IOException {
    return Files.readString(images.resolve(name), java.nio.charset.StandardCharsets.ISO_8859_1);
  }
}
