package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What the documents say of the tests and of each other.
class ConformanceTest {
  private static final Path REPOSITORY = repository();
  private static final Pattern TEST = Pattern.compile("`(\\w+(?:IT|Test))`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)\\)");

  private static Path repository() {
    Path module = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    return module.endsWith("integration-tests") ? module.resolveSibling("") : module;
  }

  private static Set<String> all(Pattern pattern, Path file) throws IOException {
    Set<String> found = new TreeSet<>();
    for (Matcher m = pattern.matcher(Files.readString(file)); m.find(); ) found.add(m.group(1));
    return found;
  }

  private static List<Path> documents() throws IOException {
    try (Stream<Path> docs = Files.walk(REPOSITORY.resolve("docs"))) {
      return Stream.concat(
              Stream.of(REPOSITORY.resolve("README.md")),
              docs.filter(path -> path.toString().endsWith(".md")))
          .toList();
    }
  }

  @Test
  void everyTestThatConformanceNamesExists() throws IOException {
    Set<String> named = all(TEST, REPOSITORY.resolve("docs/conformance.md"));
    assertThat(named).hasSizeGreaterThan(20);
    try (Stream<Path> files = Files.walk(REPOSITORY)) {
      Set<String> there =
          files
              .map(path -> path.getFileName().toString())
              .filter(name -> name.endsWith(".java"))
              .map(name -> name.substring(0, name.length() - ".java".length()))
              .collect(Collectors.toSet());
      assertThat(there).containsAll(named);
    }
  }

  @Test
  void everyLinkOfADocumentLeadsSomewhere() throws IOException {
    for (Path document : documents()) {
      for (String link : all(LINK, document))
        assertThat(document.resolveSibling(link)).as("%s", document).exists();
    }
  }

  @Test
  void noTwoDecisionsHaveOneNumber() throws IOException {
    try (Stream<Path> files = Files.list(REPOSITORY.resolve("docs/decisions"))) {
      List<String> numbers = files.map(p -> p.getFileName().toString().substring(0, 4)).toList();
      assertThat(numbers).doesNotHaveDuplicates().allMatch(n -> n.matches("\\d{4}"));
    }
  }
}
