package io.jrun.runtime.engine;

import io.jrun.kernel.host.HostKernel;
import io.jrun.kernel.host.LonePages;
import io.jrun.kernel.host.MappedFiles;
import io.jrun.runtime.container.Containers;
import java.nio.file.Path;
import java.util.List;

/// What an engine gives back of its memory when nobody asks it anything (decision 56).
final class Rest {
  /// Parts of the young generation's spaces, which are of 3840 KiB and twice 128 (-Xmn and
  /// -XX:SurvivorRatio, scripts/stage.sh); a thread has 32 of the first (-XX:TLABSize).
  private static final int MOST_OF_EDEN = 3500 << 10;

  private static final int PART_OF_EDEN = 40 << 10;
  private static final int PARTS_OF_EDEN = 7;
  private static final int MOST_OF_SURVIVORS = 112 << 10;

  /// More than the calls that a method is compiled after (-XX:Tier3InvocationThreshold).
  private static final int ROUNDS = 20;

  private static final long ROUND_MILLIS = 20;
  private static final long[] SETTLE_MILLIS = {2500, 2500, Long.MAX_VALUE};

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
    kernel.trim();
  }

  /// When nothing has happened since, and the compiler has done what the beginning gave it to do:
  /// gives the pages of files back, of which little is touched until something happens. Doing so
  /// touches the most while it is interpreted, and while it is compiled: hence so often that it is,
  /// and then at intervals, until the compiler's memory is free too.
  void until(Activity activity) throws InterruptedException {
    try (LonePages _ = files.alone(kernel)) {
      for (int round = 0; round < ROUNDS; round++) {
        files.letGo(kernel);
        if (activity.await(ROUND_MILLIS)) return;
      }
      emptyYoungGeneration();
      for (long millis : SETTLE_MILLIS) {
        kernel.trim();
        files.letGo(kernel);
        if (activity.await(millis)) return;
      }
    }
  }

  /// A collection leaves it empty, but every page of it is the garbage of the burst, and the
  /// collector gives none of them back. So arrays take its place and give their pages back. The
  /// second large one does not fit: for it the collector empties the first space, and copies the
  /// small one to one of the two for survivors, and the next time to the other.
  private void emptyYoungGeneration() {
    kernel.discard(new byte[MOST_OF_EDEN]);
    for (int i = 0; i < 2; i++) {
      byte[] survivor = new byte[MOST_OF_SURVIVORS];
      kernel.discard(new byte[MOST_OF_EDEN]);
      kernel.discard(survivor);
    }
    for (int i = 0; i < PARTS_OF_EDEN; i++) kernel.discard(new byte[PART_OF_EDEN]);
  }
}
