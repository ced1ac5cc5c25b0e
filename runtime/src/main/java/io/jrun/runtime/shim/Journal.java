package io.jrun.runtime.shim;

import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A file of lines, each a JSON object, of which every one is written before anything is said that
/// depends on it. A last line that a crash cut short counts for nothing and is taken away.
final class Journal implements AutoCloseable {
  private final Kernel kernel;
  private final Path path;
  private OwnedDescriptor file;
  private long size;

  private Journal(Kernel kernel, Path path, OwnedDescriptor file, long size) {
    this.kernel = kernel;
    this.path = path;
    this.file = file;
    this.size = size;
  }

  /// What was read, and the file to go on with.
  record Opened(Journal journal, List<JsonObject> lines) {}

  static Opened open(Kernel kernel, Path path) {
    byte[] bytes = read(path);
    List<JsonObject> lines = new ArrayList<>();
    int end = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != '\n') continue;
      lines.add((JsonObject) Json.parse(Arrays.copyOfRange(bytes, end, i)));
      end = i + 1;
    }
    OwnedDescriptor file = append(kernel, path);
    if (end < bytes.length) kernel.call(new FileCall.Ftruncate(file.descriptor(), end));
    return new Opened(new Journal(kernel, path, file, end), lines);
  }

  /// A file's bytes; none where there is no such file.
  static byte[] read(Path path) {
    try {
      return Files.readAllBytes(path);
    } catch (NoSuchFileException e) {
      return new byte[0];
    } catch (IOException e) {
      throw new UncheckedIOException("reading " + path + ": " + IoReason.of(e), e);
    }
  }

  private static OwnedDescriptor append(Kernel kernel, Path path) {
    int flags = FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_APPEND | FileCall.O_CLOEXEC;
    return OwnedDescriptor.open(
        kernel, new FileCall.Openat(Descriptor.CWD, path.toString(), flags, 0600, false));
  }

  long size() {
    return size;
  }

  void add(JsonObject line) {
    write(file, (line.toText("") + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private void write(OwnedDescriptor to, byte[] bytes) {
    for (int at = 0; at < bytes.length; ) {
      byte[] rest = at == 0 ? bytes : Arrays.copyOfRange(bytes, at, bytes.length);
      at += kernel.call(new FileCall.Write(to.descriptor(), rest));
    }
    size += bytes.length;
  }

  /// Exchanges all lines at once.
  void replace(List<JsonObject> lines) {
    StringBuilder text = new StringBuilder();
    for (JsonObject line : lines) text.append(line.toText("")).append('\n');
    Path fresh = path.resolveSibling("journal.new");
    try {
      Files.deleteIfExists(fresh);
    } catch (IOException e) {
      throw new UncheckedIOException("removing " + fresh + ": " + IoReason.of(e), e);
    }
    OwnedDescriptor next = append(kernel, fresh);
    size = 0;
    write(next, text.toString().getBytes(StandardCharsets.UTF_8));
    kernel.call(
        new FileCall.Renameat2(
            Descriptor.CWD, fresh.toString(), Descriptor.CWD, path.toString(), 0));
    file.close();
    file = next;
  }

  @Override
  public void close() {
    file.close();
  }
}
