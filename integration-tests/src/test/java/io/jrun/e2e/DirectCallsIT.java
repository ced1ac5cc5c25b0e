package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What staging makes of `invokedynamic` (`scripts/calls`, decision 87): the same program in fewer
/// classes.
@JrunOnly
class DirectCallsIT extends EndToEnd {
  private static final Path REPOSITORY = RUNTIME.path().resolveSibling("../../..").normalize();
  private static final String JDK = System.getProperty("java.home") + "/bin/";

  private Path classes;

  @BeforeEach
  void aDirectoryOfClasses() throws IOException {
    assumeTrue(Files.exists(REPOSITORY.resolve("scripts/calls")), "no sources");
    classes = Files.createDirectory(temp.resolve("classes"));
  }

  private void compile(String... flags) {
    Path source = Path.of("src/test/resources/direct/Calls.java");
    Command.of(
            Stream.concat(
                    Stream.of(
                        JDK + "javac",
                        "-d",
                        classes.toString(),
                        source.toAbsolutePath().toString()),
                    Stream.of(flags))
                .toList())
        .run()
        .succeeds();
  }

  private Outcome rewrite() throws IOException {
    try (DirectoryStream<Path> asm =
        Files.newDirectoryStream(RUNTIME.path().resolveSibling("../lib/jrun"), "asm-[0-9]*.jar")) {
      String script = REPOSITORY.resolve("scripts/calls/DirectCalls.java").toString();
      return Command.of(
              JDK + "java", "-cp", asm.iterator().next().toString(), script, classes.toString())
          .run();
    }
  }

  private String output() {
    return Command.of(JDK + "java", "-cp", classes.toString(), "Calls").run().succeeds().out();
  }

  @Test
  void theProgramIsTheSame() throws IOException {
    compile("-XDstringConcat=inline");
    String before = output();
    assertThat(before).contains("large circle", "told again", "Local[a=null");
    rewrite().succeeds();
    assertThat(output()).isEqualTo(before);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(classes)) {
      for (Path file : files)
        assertThat(Command.of(JDK + "javap", "-c", "-p", file.toString()).run().succeeds().out())
            .doesNotContain("invokedynamic");
    }
  }

  @Test
  void whatItDoesNotKnowIsAnError() throws IOException {
    compile("-XDstringConcat=indyWithConstants");
    Outcome outcome = rewrite();
    assertThat(outcome.status()).isNotZero();
    assertThat(outcome.err()).contains("makeConcatWithConstants");
  }
}
