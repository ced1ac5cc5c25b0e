package io.jrun.runtime.engine;

import io.jrun.kernel.host.HostKernel;
import io.jrun.kernel.host.MappedFiles;
import io.jrun.runtime.container.Containers;
import java.nio.file.Path;
import java.util.List;

/// What an engine gives back of its memory when nobody asks it anything (decision 56).
final class Rest {
  /// Most of the young generation's first space (-Xmn, scripts/stage.sh): two do not fit in it.
  private static final int MOST_OF_EDEN = 3600 << 10;

  private static final long[] SETTLE_MILLIS = {20, 500, 2500};

  private final HostKernel kernel;
  private final Containers containers;
  private final List<Path> directories;
  private MappedFiles files = MappedFiles.NONE;

  /// @param library where the engine's own files lie
  Rest(HostKernel kernel, Containers containers, Path library) {
    this.kernel = kernel;
    this.containers = containers;
    this.directories = List.of(Path.of(System.getProperty("java.home")), library);
  }

  /// After a burst: the garbage.
  void collect() {
    System.gc();
    kernel.trim();
  }

  /// When nothing has happened for a while: all that only saves the next request from making it
  /// again.
  void begin() {
    containers.forget();
    files = MappedFiles.find(directories);
    System.gc();
    emptyYoungGeneration();
    kernel.trim();
  }

  /// When nothing has happened since, and the compiler has done what the beginning gave it to do:
  /// gives the pages of files back, of which little is touched until something happens. What is
  /// done for the first time touches the most, and is then compiled, which touches more: hence
  /// again, and once more for a machine that is busy.
  void until(Activity activity) throws InterruptedException {
    for (long millis : SETTLE_MILLIS) {
      files.letGo(kernel);
      if (activity.await(millis)) return;
    }
    files.letGo(kernel);
    activity.await(Long.MAX_VALUE);
  }

  /// A collection leaves it empty, but every page of it is the garbage of the burst, and the
  /// collector gives none of them back. So an array takes its place and gives its pages back; the
  /// second one does not fit, and the collection for it finds that nobody has the first.
  private void emptyYoungGeneration() {
    for (int i = 0; i < 2; i++) kernel.discard(new byte[MOST_OF_EDEN]);
  }
}
