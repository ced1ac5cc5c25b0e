package io.jrun.specs.schema;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/// The official schemas and samples, which lie beside the repository and are never copied into it.
public final class OciSamples {
  private OciSamples() {}

  /// Skips the calling test where they are absent.
  public static Path runtimeSpec() {
    for (Path up = Path.of("").toAbsolutePath(); up != null; up = up.getParent()) {
      Path candidate = up.resolve("shared/oci/runtime-spec-1.3.0");
      if (Files.isDirectory(candidate)) {
        return candidate;
      }
    }
    Assumptions.abort("no shared/oci/runtime-spec-1.3.0 above or beside the module");
    throw new AssertionError();
  }

  /// The samples of `kind` (config, state, features) that are good or bad.
  public static List<Path> samples(String kind, String quality) throws IOException {
    Path directory = runtimeSpec().resolve("test").resolve(kind).resolve(quality);
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }
}
