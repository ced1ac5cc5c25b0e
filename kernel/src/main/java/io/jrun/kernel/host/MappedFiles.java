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

/// What this process has mapped of the JVM's and its own files for as long as it lives, and cannot
/// write to: the text and constants of libraries, and the AOT cache. The pages are the page
/// cache's. Unmapped, they stay there while the machine has room for them, and one that is touched
/// comes back by a minor fault, with those around it.
///
/// Nothing can be lost with them. A range that was written to before it was protected (RELRO) has
/// pages of its own, whose contents are nowhere else: the kernel counts them as anonymous, and such
/// a range is left alone. No other mapping can come to lie at these addresses between the look and
/// the call, nor can one become writable, since the JVM never unloads a library of its own.
public final class MappedFiles {
  public static final MappedFiles NONE = new MappedFiles(List.of());

  private static final Path SMAPS = Path.of("/proc/self/smaps");
  private static final int HEXADECIMAL = 16;

  private record Range(long start, long size) {}

  private final List<Path> directories;
  private final List<Range> ranges = new ArrayList<>();

  private MappedFiles(List<Path> directories) {
    this.directories = directories;
  }

  /// As they are now; none where the kernel does not tell.
  ///
  /// @param directories where the files lie that are never unmapped
  public static MappedFiles find(List<Path> directories) {
    try (Stream<String> lines = Files.lines(SMAPS)) {
      return of(lines, directories);
    } catch (IOException | UncheckedIOException e) {
      return NONE; // such as for want of descriptors: they stay until another time
    }
  }

  static MappedFiles of(Stream<String> smaps, List<Path> directories) {
    MappedFiles found = new MappedFiles(directories);
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

  /// Until the result is closed, no page comes back with those around it.
  public LonePages alone(Kernel kernel) {
    LonePages alone = LonePages.open(kernel);
    for (Range range : ranges) alone.add(range.start(), range.size());
    return alone;
  }

  /// The addresses, for a test.
  List<Long> starts() {
    return ranges.stream().map(Range::start).toList();
  }

  private boolean isKept(String path) {
    return directories.stream().anyMatch(Path.of(path)::startsWith);
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
      if (path < 0 || line.charAt(space + 2) == 'w' || !isKept(line.substring(path))) return;
      long start = Long.parseUnsignedLong(line, 0, dash, HEXADECIMAL);
      range = new Range(start, Long.parseUnsignedLong(line, dash + 1, space, HEXADECIMAL) - start);
    }

    private static boolean isName(String line) {
      return Character.isUpperCase(line.charAt(0));
    }
  }
}
