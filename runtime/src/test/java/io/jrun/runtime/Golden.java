package io.jrun.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/// Sequences of calls as files under `src/test/golden`; `-Djrun.goldens.update=true` rewrites them.
public final class Golden {
  private Golden() {}

  /// Asserts that the batch is what the file says: one call per line behind its index (what `#n` in
  /// a later call refers to), then the errnos expected of it. A guarded call says first when it is
  /// made.
  public static void assertCalls(Batch batch, String name) {
    assertText(text(batch), name);
  }

  /// The batch as such a file has it.
  public static String text(Batch batch) {
    StringBuilder text = new StringBuilder();
    List<Batch.Entry> entries = batch.entries();
    for (int i = 0; i < entries.size(); i++) {
      text.append('#').append(i).append(' ').append(line(entries.get(i))).append('\n');
    }
    return text.toString();
  }

  private static String line(Batch.Entry entry) {
    String expected =
        entry.anyFailure()
            ? "any"
            : entry.expected().stream().map(Errno::name).collect(Collectors.joining(" "));
    return guard(entry) + entry.call().text() + (expected.isEmpty() ? "" : " ? " + expected);
  }

  private static String guard(Batch.Entry entry) {
    Batch.Guard guard = entry.guard();
    if (guard == null) return "";
    String outcome = guard.errno() == null ? "done" : guard.errno().name();
    return "where #" + guard.index() + " is " + outcome + ": ";
  }

  /// Asserts that the text is what the file says.
  public static void assertText(String text, String name) {
    Path file = Path.of("src/test/golden", name);
    try {
      if (Boolean.getBoolean("jrun.goldens.update")) {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
      }
      assertThat(text).as(name).isEqualTo(Files.readString(file));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
