package io.jrun.image.store;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.TreeCall;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;

/// Documents of stores as they were read last. Each version of one is another file; where its inode
/// is used again soon, the time tells them apart, unless both were written within one tick of the
/// kernel's clock: so one that is young is read again.
final class DocumentCache<T> {
  private static final long YOUNG_SECONDS = 2;

  private record Known<T>(EntryStat file, T document) {}

  private final BiFunction<Path, byte[], T> parse;
  private final Map<Path, Known<T>> known = new HashMap<>();

  DocumentCache(BiFunction<Path, byte[], T> parse) {
    this.parse = parse;
  }

  /// Reads a document; empty where there is none.
  Optional<T> read(Kernel kernel, Path path) throws IOException {
    try {
      EntryStat file = kernel.call(new TreeCall.StatEntry(Descriptor.CWD, path.toString()));
      synchronized (known) {
        Known<T> last = known.get(path);
        if (last != null && last.file().equals(file)) return Optional.of(last.document());
      }
      T document = parse.apply(path, Files.readAllBytes(path));
      if (System.currentTimeMillis() / 1000 - file.modifySeconds() > YOUNG_SECONDS) {
        synchronized (known) {
          known.put(path, new Known<>(file, document));
        }
      }
      return Optional.of(document);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return Optional.empty();
      throw e;
    }
  }
}
