package io.jrun.runtime.engine;

import io.jrun.kernel.host.HostKernel;
import io.jrun.kernel.host.MappedFiles;
import io.jrun.runtime.container.Containers;

/// What an engine that has served a burst gives back when nobody asks it anything any more
/// (decision 56).
record Rest(HostKernel kernel, Containers containers) {
  /// Most of the young generation's first space (-Xmn, scripts/stage.sh): two do not fit in it.
  private static final int MOST_OF_EDEN = 3 << 20;

  void begin() {
    containers.forget();
    MappedFiles files = MappedFiles.find();
    System.gc();
    emptyYoungGeneration();
    files.letGo(kernel);
  }

  /// A collection leaves it empty, but every page of it is the garbage of the burst, and the
  /// collector gives none of them back. So an array takes its place and gives its pages back; the
  /// second one does not fit, and the collection for it finds that nobody has the first.
  private void emptyYoungGeneration() {
    for (int i = 0; i < 2; i++) kernel.discard(new byte[MOST_OF_EDEN]);
  }
}
