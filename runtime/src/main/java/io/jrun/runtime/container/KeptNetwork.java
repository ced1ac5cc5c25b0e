package io.jrun.runtime.container;

import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import java.nio.file.Files;
import java.nio.file.Path;

/// A container's network namespace, mounted on a file of its state directory, as ip-netns(8) keeps
/// one: plugins learn from it on DEL what to take back, and by then the container has ended.
///
/// @param file where it is mounted
record KeptNetwork(Path file) {
  /// Of the file system of namespaces (statfs(2)).
  private static final long NSFS_MAGIC = 0x6e736673;

  /// Of a container with this state directory.
  static KeptNetwork in(Path directory) {
    return new KeptNetwork(directory.resolve("netns"));
  }

  /// @param netns the path of the namespace
  void keep(HelperKernel client, String netns) {
    int flags = FileCall.O_RDONLY | FileCall.O_CREAT | FileCall.O_EXCL | FileCall.O_CLOEXEC;
    Batch batch = new Batch();
    Descriptor place =
        batch
            .add(new FileCall.Openat(Descriptor.CWD, file.toString(), flags, 0, false))
            .descriptor();
    // who may not mount here has plugins that cannot look
    Pending<Descriptor> tree =
        batch.add(new MountCall.OpenTree(Descriptor.CWD, netns, OPEN_TREE_CLONE), Errno.EPERM);
    batch.addIfDone(tree, new MountCall.MoveMount(tree.descriptor(), place));
    batch.addIfDone(tree, new FileCall.Close(tree.descriptor()));
    batch.add(new FileCall.Close(place));
    client.run(batch);
  }

  /// Its path; empty where it is not kept, or not where the client sees it.
  String path(HelperKernel client) {
    if (!Files.exists(file)) return "";
    Batch batch = new Batch();
    Descriptor open =
        batch.add(FileCall.Openat.existing(file.toString(), FileCall.O_RDONLY)).descriptor();
    Pending<Long> type = batch.add(new FileCall.Fstatfs(open));
    batch.add(new FileCall.Close(open));
    Results results = client.run(batch);
    return results.of(type) == NSFS_MAGIC ? file.toString() : "";
  }

  /// Lets it end. The file goes with the directory.
  void release(HelperKernel client) {
    Batch batch = new Batch();
    batch.add(
        new MountCall.Umount2(file.toString(), MNT_DETACH | UMOUNT_NOFOLLOW),
        Errno.EINVAL, // nothing is mounted there
        Errno.ENOENT);
    client.run(batch);
  }
}
