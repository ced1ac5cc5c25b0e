package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Gives the standard descriptors to the container's user, so that a program which is not root can
/// open /dev/stdout again, as runc does. /dev/null is everybody's and stays root's.
final class StdioOwner {
  private final long uid;
  private final List<Pending<Stat>> asked = new ArrayList<>();
  private final List<@Nullable Stat> seen = new ArrayList<>();

  /// @param uid in the container; nothing is asked or done for root
  StdioOwner(long uid) {
    this.uid = uid;
  }

  /// For whoever has the same descriptors as the container's process.
  void ask(Batch batch) {
    if (uid == 0) return;
    for (int fd = 0; fd < 3; fd++)
      asked.add(
          batch.attempt(new FileCall.Statx(new Descriptor.Known(fd), "", FileCall.AT_EMPTY_PATH)));
  }

  /// @param results of the batch that asked
  void see(Results results) {
    for (Pending<Stat> fd : asked) seen.add(results.succeeded(fd) ? results.of(fd) : null);
  }

  void addTo(Batch batch) {
    for (int fd = 0; fd < seen.size(); fd++) {
      Stat stat = seen.get(fd);
      if (stat == null) continue;
      if (stat.isCharacterDevice(1, 3) || stat.uid() == (int) uid) continue;
      // refused for a file of a user that is not mapped, or of a read-only file system
      batch.attempt(
          new FileCall.Fchownat(
              new Descriptor.Known(fd), "", (int) uid, -1, FileCall.AT_EMPTY_PATH));
    }
  }
}
