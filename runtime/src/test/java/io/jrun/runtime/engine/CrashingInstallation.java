package io.jrun.runtime.engine;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/// An installation of its own whose engines are [CrashingMain].
final class CrashingInstallation implements AutoCloseable {
  private final Path control;
  private final Path jrun;

  CrashingInstallation(Sandbox sandbox) throws IOException {
    control = Files.createDirectories(sandbox.top().resolve("control"));
    Path lib = Files.createDirectories(sandbox.top().resolve("crash/lib/jrun"));
    jrun = Files.createDirectories(sandbox.top().resolve("crash/bin")).resolve("jrun");
    Files.copy(sandbox.install().resolve("bin/jrun"), jrun, StandardCopyOption.COPY_ATTRIBUTES);
    Files.createSymbolicLink(shim(), Path.of("jrun"));
    Files.copy(sandbox.library().resolve("jrun.jar"), lib.resolve("jrun.jar"));
    Path tests = sandbox.top().resolve("tests.jar");
    pack(Path.of("target/test-classes"), tests);
    List<String> words = new ArrayList<>();
    for (String word : Files.readAllLines(sandbox.library().resolve("engine.argv"))) {
      String resolved = word.replace("%", sandbox.library().toString());
      if (resolved.endsWith(".Main")) {
        words.set(words.size() - 1, words.getLast() + ":" + tests);
        words.add(words.size() - 2, "-Djrun.test.control=" + control);
        resolved = CrashingMain.class.getName();
      }
      words.add(resolved);
    }
    Files.write(lib.resolve("engine.argv"), words);
  }

  private static void pack(Path classes, Path jar) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file);
        Stream<Path> walk = Files.walk(classes.resolve("io/jrun/runtime/engine"))) {
      for (Path path : walk.filter(Files::isRegularFile).toList()) {
        out.putNextEntry(new ZipEntry(classes.relativize(path).toString()));
        out.write(Files.readAllBytes(path));
      }
    }
  }

  Path control() {
    return control;
  }

  Path jrun() {
    return jrun;
  }

  Path shim() {
    return jrun.resolveSibling("containerd-shim-jrun-v2");
  }

  /// Has the engine die at that stage of the next client; `both`: and take the client along.
  void crash(Stages.Kind kind, int number, boolean both) {
    try {
      Files.writeString(
          control.resolve("crash"), kind + " " + number + " " + (both ? "both" : "engine"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A line for each engine so far.
  List<String> engines() throws IOException {
    Path engines = control.resolve("engines");
    return Files.exists(engines) ? Files.readAllLines(engines) : List.of();
  }

  static void endEngine(ProcessHandle engine) {
    // the pid may be another's by now
    if (engine.info().arguments().map(a -> String.join(" ", a)).orElse("").contains("CrashingMain"))
      engine.destroyForcibly();
  }

  @Override
  public void close() throws IOException {
    for (String line : engines()) {
      String[] words = line.split(" ");
      ProcessHandle.of(Long.parseLong(words[0])).ifPresent(CrashingInstallation::endEngine);
      for (String suffix : List.of(".sock", ".lock", ".log"))
        Files.deleteIfExists(Path.of(words[1] + suffix));
    }
  }
}
