package io.jrun.image.store;

import io.jrun.image.Layers;
import io.jrun.image.Resolved;
import io.jrun.image.SnapshotChain;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.Unpacking;
import io.jrun.rootfs.unpack.Whiteouts;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/// Unpacks those layers of an image that nobody unpacked before. Two that make the same one at once
/// make it twice; the first to end counts.
public final class SnapshotMaking {
  private SnapshotMaking() {}

  public static SnapshotChain make(
      ImageStore store, CallerFiles caller, Resolved image, Supplier<UnpackOptions> given) {
    List<String> names = Snapshots.chains(image.config().diffIds());
    Path directory = store.root().resolve("snapshots");
    for (int i = 0; i < names.size(); i++) {
      Path snapshot = directory.resolve(names.get(i));
      if (Files.isDirectory(snapshot)) continue;
      UnpackOptions options = given.get().with(Whiteouts.OVERLAY);
      Path aside = store.aside();
      int layer = i;
      try (ImageStore.OpenedBlob blob = store.open(image.manifest().layers().get(i))) {
        Unpacking.into(
            caller,
            aside.toString(),
            options,
            (writer, unpacker) ->
                Layers.one(
                    writer,
                    unpacker,
                    image.manifest().layers().get(layer),
                    image.config().diffIds().get(layer),
                    blob.origin(),
                    options));
      }
      publish(store, caller, aside, snapshot);
    }
    return new SnapshotChain(directory, names);
  }

  private static void publish(ImageStore store, CallerFiles caller, Path aside, Path snapshot) {
    try {
      sync(store, aside);
      Files.move(aside, snapshot, StandardCopyOption.ATOMIC_MOVE);
      DurableFiles.sync(Objects.requireNonNull(snapshot.getParent()));
    } catch (FileSystemException e) {
      if (!Files.isDirectory(snapshot)) throw IoFailure.of("naming " + snapshot, e);
      Unpacking.remove(caller, aside.toString()); // another one was faster
    } catch (IOException e) {
      throw IoFailure.of("naming " + snapshot, e);
    }
  }

  /// All of it must be on the disk before its name says so.
  private static void sync(ImageStore store, Path directory) {
    Descriptor opened =
        store
            .kernel()
            .call(
                new FileCall.Openat(
                    Descriptor.CWD,
                    directory.toString(),
                    FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC,
                    0,
                    false));
    try (OwnedDescriptor file =
        new OwnedDescriptor(store.kernel(), ((Descriptor.Known) opened).number())) {
      store.kernel().call(new TreeCall.Syncfs(file.descriptor()));
    }
  }
}
