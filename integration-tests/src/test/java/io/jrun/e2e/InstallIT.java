package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// `make install` and `uninstall`, from a build that is there.
@JrunOnly
@Timeout(300) // it builds an installation
class InstallIT extends EndToEnd {
  private static Path repository() {
    return RUNTIME.path().resolveSibling("../../..").normalize();
  }

  private void make(String... words) throws IOException {
    List<String> all = new ArrayList<>(List.of("make", "-s", "-o", "build"));
    all.addAll(List.of(words));
    Path log = temp.resolve("make.log");
    Process process =
        new ProcessBuilder(all)
            .directory(repository().toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    assertThat(process.exitValue()).as(Files.readString(log)).isZero();
  }

  @Test
  void whatIsInstalledIsWhereItWasAskedForAndGoesAway() throws IOException {
    assumeTrue(
        Files.exists(repository().resolve("Makefile"))
            && Command.of("sh", "-c", "command -v make && command -v mvn").run().status() == 0,
        "no sources, make or mvn");
    String destination = "DESTDIR=" + temp + "/image";
    make("install", destination, "PREFIX=/usr/local");
    Path image = temp.resolve("image");
    assertThat(Files.readSymbolicLink(image.resolve("opt/cni/bin/simplecni")))
        .isEqualTo(Path.of("/usr/local/bin/jrun"));
    assertThat(image.resolve("usr/local/bin/simplecni")).isSymbolicLink();
    Path jrun = image.resolve("usr/local/bin/jrun");
    Outcome version =
        Command.of(jrun.toString(), "--version").with("JRUN_ENGINE", "off").run().succeeds();
    assertThat(version.lines().getFirst()).matches("jrun version [0-9]+\\.[0-9]+\\.[0-9]+.*");
    make("uninstall", destination, "PREFIX=/usr/local");
    try (var files = Files.walk(image)) {
      assertThat(files.filter(path -> !Files.isDirectory(path))).isEmpty();
    }
    // a private installation stays in its place
    make("install", destination, "PREFIX=/home/somebody/jrun");
    assertThat(image.resolve("home/somebody/jrun/bin/jrun")).exists();
    assertThat(image.resolve("opt/cni/bin/simplecni")).doesNotExist();
  }
}
