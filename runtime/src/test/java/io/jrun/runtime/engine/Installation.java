package io.jrun.runtime.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.Function;
import java.util.stream.Stream;

/// An installation in a sandbox, of the staged one's files, whose engines are started otherwise.
record Installation(Path jrun) {
  /// @param edit of each word of the staged engine's command line what stands in its place
  static Installation make(Sandbox sandbox, Function<String, Stream<String>> edit)
      throws IOException {
    Path top = sandbox.top().resolve("installation");
    Path lib = Files.createDirectories(top.resolve("lib/jrun"));
    Path jrun = Files.createDirectories(top.resolve("bin")).resolve("jrun");
    Files.copy(sandbox.install().resolve("bin/jrun"), jrun, StandardCopyOption.COPY_ATTRIBUTES);
    Installation made = new Installation(jrun);
    Files.createSymbolicLink(made.shim(), Path.of("jrun"));
    Files.copy(sandbox.library().resolve("jrun.jar"), lib.resolve("jrun.jar"));
    Files.write(
        lib.resolve("engine.argv"),
        Files.readAllLines(sandbox.library().resolve("engine.argv")).stream()
            .map(word -> word.replace("%", sandbox.library().toString()))
            .flatMap(edit)
            .toList());
    return made;
  }

  Path shim() {
    return jrun.resolveSibling("containerd-shim-jrun-v2");
  }
}
