package io.jrun.e2e;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One command line and how to run it. Output goes to files, so that a detached container which
/// keeps the descriptors cannot hold the test; nothing waits longer than a minute, times what the
/// system property `jrun.patience` says for an emulated machine.
record Command(
    List<String> words,
    Map<String, String> environment,
    @Nullable String input,
    @Nullable Path workingDirectory) {

  static final int PATIENCE = Integer.getInteger("jrun.patience", 1);
  static final int TIMEOUT_SECONDS = 60 * PATIENCE;

  Command {
    words = List.copyOf(words);
    environment = Map.copyOf(environment);
  }

  static Command of(String... words) {
    return of(List.of(words));
  }

  static Command of(List<String> words) {
    return new Command(words, Map.of(), null, null);
  }

  Command with(String name, String value) {
    Map<String, String> more = new TreeMap<>(environment);
    more.put(name, value);
    return new Command(words, more, input, workingDirectory);
  }

  Command input(String text) {
    return new Command(words, environment, text, workingDirectory);
  }

  Command in(Path directory) {
    return new Command(words, environment, input, directory);
  }

  /// Runs to the end.
  Outcome run() {
    try {
      return start().finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Starts and returns at once.
  Running start() throws IOException {
    Path out = Files.createTempFile("e2e-out-", ".txt");
    Path err = Files.createTempFile("e2e-err-", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().putAll(environment);
    if (workingDirectory != null) {
      builder.directory(workingDirectory.toFile());
    }
    if (input == null) {
      builder.redirectInput(Path.of("/dev/null").toFile());
    }
    Process process = builder.start();
    if (input != null) {
      try (OutputStream stdin = process.getOutputStream()) {
        stdin.write(input.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        // the command may end without reading its input: its status tells
        if (process.isAlive()) {
          throw e;
        }
      }
    }
    return new Running(words, process, out, err);
  }

  /// A started command.
  record Running(List<String> words, Process process, Path out, Path err) {

    String outputSoFar() throws IOException {
      return Files.readString(out);
    }

    Outcome finish() throws IOException {
      try {
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
          List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
          process.destroyForcibly().waitFor();
          all.forEach(ProcessHandle::destroyForcibly);
          throw new AssertionError(
              "no end after %d s: %s%nout: %s%nerr: %s"
                  .formatted(TIMEOUT_SECONDS, words, Files.readString(out), Files.readString(err)));
        }
        return new Outcome(words, process.exitValue(), latin(out), latin(err));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      } finally {
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
      }
    }

    private static String latin(Path file) throws IOException {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }
  }
}
