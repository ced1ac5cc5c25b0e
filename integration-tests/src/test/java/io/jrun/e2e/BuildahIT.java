package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// `buildah run` and `buildah build` with this runtime.
class BuildahIT extends EndToEnd {
  private String working = "";

  @BeforeEach
  void makeAWorkingContainer() throws IOException {
    Machine.assumeInstalled("buildah");
    Command.of("tar", "-C", bundle.rootfs().toString(), "-cf", temp + "/layer.tar", ".")
        .run()
        .succeeds();
    working = buildah("from", "scratch").run().succeeds().text();
    buildah("add", "-q", working, temp + "/layer.tar", "/").run().succeeds();
  }

  @AfterEach
  void removeWorkingContainers() {
    if (!working.isEmpty()) buildah("rm", "--all").run();
  }

  private Command buildah(String... arguments) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "buildah",
                "--root",
                temp.resolve("storage").toString(),
                "--runroot",
                temp.resolve("run").toString(),
                "--storage-driver",
                "vfs"));
    words.addAll(List.of(arguments));
    return Command.of(words);
  }

  private Command buildahRun(String... rest) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "run",
                "--runtime",
                RUNTIME.path().toString(),
                "--isolation",
                "oci",
                "--network",
                "none"));
    words.addAll(List.of(rest));
    return buildah(words.toArray(String[]::new));
  }

  @Test
  void runGivesOutputAndStatus() {
    assertThat(buildahRun(working, "sh", "-c", "id -u; tty; exit 5").run().exits(5).lines())
        .containsExactly("0", "not a tty");
    buildahRun(working, "nosuch").run().fails();
  }

  @Test
  void runWithATerminalUserVolumeAndWithoutCapabilities() throws IOException {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Files.writeString(shared.resolve("f"), "from-host");
    assertThat(
            buildahRun(
                    "--tty",
                    "--user",
                    "3:4",
                    "--volume",
                    shared + ":/mnt:ro",
                    "--cap-drop",
                    "all",
                    working,
                    "sh",
                    "-c",
                    "tty; id -u; cat /mnt/f; echo; touch /mnt/x || grep CapEff /proc/self/status")
                .run()
                .succeeds()
                .out())
        .contains("/dev/pts/", "3", "from-host", "0000000000000000");
  }

  @Test
  void whatAStepOfABuildWritesIsInTheNext() throws IOException {
    Path context = Files.createDirectory(temp.resolve("context"));
    Files.copy(temp.resolve("layer.tar"), context.resolve("layer.tar"));
    Files.writeString(
        context.resolve("Containerfile"),
        """
        FROM scratch
        ADD layer.tar /
        RUN echo built > /written; id -u
        RUN cat /written && test ! -e /proc/1/root/nosuch
        """);
    assertThat(
            buildah(
                    "build",
                    "--runtime",
                    RUNTIME.path().toString(),
                    "--isolation",
                    "oci",
                    "--network",
                    "none",
                    "-t",
                    "e2e",
                    context.toString())
                .run()
                .succeeds()
                .out())
        .contains("built");
    Files.writeString(
        context.resolve("Containerfile"), "FROM scratch\nADD layer.tar /\nRUN exit 3\n");
    assertThat(
            buildah(
                    "build",
                    "--runtime",
                    RUNTIME.path().toString(),
                    "--isolation",
                    "oci",
                    "--network",
                    "none",
                    "-t",
                    "e2e2",
                    context.toString())
                .run()
                .fails()
                .err())
        .contains("exit status 3");
  }
}
