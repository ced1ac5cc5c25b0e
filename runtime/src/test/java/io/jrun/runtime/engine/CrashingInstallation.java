package io.jrun.runtime.engine;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/// An installation of its own whose engines are [CrashingMain].
final class CrashingInstallation implements AutoCloseable {
  private final Path control;
  private final Installation installation;

  CrashingInstallation(Sandbox sandbox) throws IOException {
    control = Files.createDirectories(sandbox.top().resolve("control"));
    Path tests = sandbox.top().resolve("tests.jar");
    pack(Path.of("target/test-classes"), tests);
    installation =
        Installation.make(
            sandbox,
            word ->
                switch (word) {
                  case "-cp" -> Stream.of("-Djrun.test.control=" + control, word);
                  case String main when main.endsWith(".Main") ->
                      Stream.of(CrashingMain.class.getName());
                  // the class path
                  case String path when path.contains(":" + sandbox.library()) ->
                      Stream.of(path + ":" + tests);
                  default -> Stream.of(word);
                });
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
    return installation.jrun();
  }

  Path shim() {
    return installation.shim();
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

  static void endEngine(long pid) {
    try {
      // the pid may be another's by now; of so long a command line ProcessHandle tells no arguments
      if (Files.readString(Path.of("/proc", pid + "", "cmdline")).contains("CrashingMain"))
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    } catch (IOException e) {
      // it has ended
    }
  }

  @Override
  public void close() throws IOException {
    for (String line : engines()) {
      String[] words = line.split(" ");
      endEngine(Long.parseLong(words[0]));
      for (String suffix : List.of(".sock", ".lock", ".log"))
        Files.deleteIfExists(Path.of(words[1] + suffix));
    }
  }
}
