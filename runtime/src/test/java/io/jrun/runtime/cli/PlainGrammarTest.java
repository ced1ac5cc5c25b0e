package io.jrun.runtime.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The plain grammar reads a line as picocli does, or leaves it to picocli.
class PlainGrammarTest {
  private static final List<String> WORDS =
      List.of(
          "--flag",
          "-f",
          "--text",
          "-t",
          "--texts",
          "-e",
          "--commas",
          "-c",
          "--help",
          "-h",
          "--",
          "-",
          "-ft",
          "-tv",
          "--text=v",
          "--flag=true",
          "--unknown",
          "-x",
          "",
          "id",
          "a=b",
          "a,b",
          "value with spaces",
          "\"quoted\"",
          "'q'",
          "@file",
          "état",
          "1",
          "-1",
          "--f");

  private static Options options() {
    return new Options("test", "a command")
        .flag("a flag", "--flag", "-f")
        .text("v", "a text", "--text", "-t")
        .texts("v", "texts", "--texts", "-e")
        .commaTexts("v", "texts between commas", "--commas", "-c");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void randomLinesMeanTheSame(boolean stopAtPositional) {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Grammar grammar = new Grammar(() -> options().withArguments("args"), stopAtPositional);
    PlainGrammar plain = new PlainGrammar(options().withArguments("args"), stopAtPositional);
    int plainLines = 0;
    for (int i = 0; i < 20_000; i++) {
      List<String> line = new ArrayList<>();
      int length = random.nextInt(6);
      while (line.size() < length) line.add(WORDS.get(random.nextInt(WORDS.size())));
      ParsedLine parsed = plain.parse(line);
      if (parsed == null) continue;
      plainLines++;
      assertThat(parsed).as("%s, seed %d", line, seed).isEqualTo(grammar.parseAny(line));
    }
    assertThat(plainLines).isGreaterThan(1000);
  }
}
