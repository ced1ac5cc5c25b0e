package io.jrun.kernel.host;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.MemoryCall;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What this process has mapped of files for as long as it lives and cannot write to: the text and
/// constants of its libraries, and the AOT cache. Their pages are the page cache's. Unmapped, they
/// stay there while the machine has room for them, and one that is touched comes back by a minor
/// fault, with those around it.
///
/// A range that was written to before it was protected (RELRO) has pages of its own, whose contents
/// are nowhere else: the kernel counts them as anonymous, and such a range is left alone.
public final class MappedFiles {
  private static final Path SMAPS = Path.of("/proc/self/smaps");
  private static final Path JDK_CLASSES = Path.of(System.getProperty("java.home"), "lib/modules");
  private static final int HEXADECIMAL = 16;

  private record Range(long start, long size) {}

  private final List<Range> ranges = new ArrayList<>();

  private MappedFiles() {}

  /// As they are now.
  public static MappedFiles find() {
    try (Stream<String> lines = Files.lines(SMAPS)) {
      return of(lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static MappedFiles of(Stream<String> smaps) {
    MappedFiles found = new MappedFiles();
    smaps.forEach(found.new Reader()::read);
    return found;
  }

  /// Gives their pages back; the AOT cache's last, which lies lowest: it has the code of this loop.
  public void letGo(Kernel kernel) {
    for (Range range : ranges.reversed()) {
      try {
        kernel.call(new MemoryCall.Madvise(range.start(), range.size(), MemoryCall.MADV_DONTNEED));
      } catch (KernelException e) {
        // locked in memory by who runs the engine
      }
    }
  }

  /// The addresses, for a test.
  List<Long> starts() {
    return ranges.stream().map(Range::start).toList();
  }

  /// proc_pid_smaps(5): a line per range, and under it what is in it.
  private final class Reader {
    private @Nullable Range range;

    void read(String line) {
      if (isName(line)) {
        if (!line.startsWith("Anonymous:")) return;
        if (range != null && line.endsWith(" 0 kB")) ranges.add(range);
        range = null;
        return;
      }
      int dash = line.indexOf('-');
      int space = line.indexOf(' ');
      int path = line.indexOf('/');
      range = null;
      if (path < 0 || line.charAt(space + 2) == 'w') return;
      // what is mapped shared is a file that a command reads, and is unmapped when it has
      if (line.charAt(space + 4) == 's' && !JDK_CLASSES.toString().equals(line.substring(path)))
        return;
      long start = Long.parseUnsignedLong(line, 0, dash, HEXADECIMAL);
      range = new Range(start, Long.parseUnsignedLong(line, dash + 1, space, HEXADECIMAL) - start);
    }

    private static boolean isName(String line) {
      return Character.isUpperCase(line.charAt(0));
    }
  }
}
