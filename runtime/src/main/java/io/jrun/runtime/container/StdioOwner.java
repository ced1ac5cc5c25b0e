package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Gives the standard descriptors to the container's user, so that a program which is not root can
/// open /dev/stdout again, as runc does. /dev/null is everybody's and stays root's: where it is one
/// of the three it becomes the container's own, as the host's is a file from outside, which
/// CVE-2025-31133 teaches not to leave there, and which CRIU cannot save.
final class StdioOwner {
  private final long uid;
  private final List<Pending<Stat>> asked = new ArrayList<>();
  private final List<@Nullable Stat> seen = new ArrayList<>();

  /// @param uid in the container
  StdioOwner(long uid) {
    this.uid = uid;
  }

  /// For whoever has the same descriptors as the container's process.
  void ask(Batch batch) {
    for (int fd = 0; fd < 3; fd++)
      asked.add(
          batch.attempt(new FileCall.Statx(new Descriptor.Known(fd), "", FileCall.AT_EMPTY_PATH)));
  }

  /// @param results of the batch that asked
  void see(Results results) {
    for (Pending<Stat> fd : asked) seen.add(results.succeeded(fd) ? results.of(fd) : null);
  }

  void addTo(Batch batch) {
    Pending<Descriptor> ownNull = null;
    for (int fd = 0; fd < seen.size(); fd++) {
      Stat stat = seen.get(fd);
      if (stat == null) continue;
      if (stat.isCharacterDevice(1, 3)) {
        if (ownNull == null) ownNull = openNull(batch);
        batch.addIfDone(ownNull, new DescriptorCall.Dup3(ownNull.descriptor(), fd, 0));
        continue;
      }
      if (uid == 0 || stat.uid() == (int) uid) continue;
      // refused for a file of a user that is not mapped, or of a read-only file system
      batch.attempt(
          new FileCall.Fchownat(
              new Descriptor.Known(fd), "", (int) uid, -1, FileCall.AT_EMPTY_PATH));
    }
    if (ownNull != null) batch.addIfDone(ownNull, new FileCall.Close(ownNull.descriptor()));
  }

  /// The container's, which may be missing; a link is not followed.
  private static Pending<Descriptor> openNull(Batch batch) {
    int flags = FileCall.O_RDWR | FileCall.O_NOFOLLOW | FileCall.O_CLOEXEC;
    return batch.attempt(new FileCall.Openat(Descriptor.CWD, "/dev/null", flags, 0, false));
  }
}
