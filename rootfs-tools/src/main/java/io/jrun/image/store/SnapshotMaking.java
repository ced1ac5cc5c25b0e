package io.jrun.image.store;

import io.jrun.image.Layers;
import io.jrun.image.Resolved;
import io.jrun.image.SnapshotChain;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.unpack.LowerTree;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.Unpacking;
import io.jrun.rootfs.unpack.Whiteouts;
import io.jrun.rootfs.unpack.WriterProcess;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Unpacks those layers of an image that nobody unpacked before. Two that make the same one at once
/// make it twice; the first to end counts.
public final class SnapshotMaking {
  private final ImageStore store;
  private final StoreWriter writer;
  private final Supplier<UnpackOptions> limits;
  private final Path directory;

  /// @param limits asked where something is to be unpacked
  public SnapshotMaking(ImageStore store, StoreWriter writer, Supplier<UnpackOptions> limits) {
    this.store = store;
    this.writer = writer;
    this.limits = limits;
    this.directory = store.root().resolve("snapshots");
  }

  /// Each layer for itself, for overlayfs.
  public SnapshotChain stacked(Resolved image) {
    List<String> names = Snapshots.chains(image.config().diffIds(), writer);
    if (names.stream().allMatch(name -> Files.isDirectory(directory.resolve(name)))) {
      return new SnapshotChain(directory, names);
    }
    UnpackOptions options = writer.options(limits.get()).with(Whiteouts.OVERLAY);
    try (WriterProcess process = writer.start().get()) {
      for (int i = 0; i < names.size(); i++) {
        Path snapshot = directory.resolve(names.get(i));
        if (Files.isDirectory(snapshot)) continue;
        LowerTree lower = i == 0 ? null : lower(process.kernel(), names.subList(0, i));
        ContentDescriptor layer = image.manifest().layers().get(i);
        Digest diffId = image.config().diffIds().get(i);
        try (ImageStore.OpenedBlob blob = store.open(layer)) {
          make(
              process,
              snapshot,
              options,
              lower,
              (kernel, unpacker) ->
                  Layers.one(kernel, unpacker, layer, diffId, blob.origin(), options));
        }
      }
    }
    return new SnapshotChain(directory, names);
  }

  /// All layers in one tree.
  public Path flat(Resolved image) {
    Path snapshot = directory.resolve(Snapshots.flat(image.config().diffIds(), writer));
    if (Files.isDirectory(snapshot)) return snapshot;
    UnpackOptions options = writer.options(limits.get()).with(Whiteouts.APPLY);
    List<ImageStore.OpenedBlob> opened = new ArrayList<>();
    try (WriterProcess process = writer.start().get()) {
      make(
          process,
          snapshot,
          options,
          null,
          (kernel, unpacker) ->
              Layers.unpack(
                  kernel,
                  unpacker,
                  image,
                  layer -> {
                    ImageStore.OpenedBlob blob = store.open(layer);
                    opened.add(blob);
                    return blob.origin();
                  },
                  options));
    } finally {
      opened.forEach(ImageStore.OpenedBlob::close);
    }
    return snapshot;
  }

  private void make(
      WriterProcess process,
      Path snapshot,
      UnpackOptions options,
      @Nullable LowerTree lower,
      Unpacking.Filling filling) {
    Path aside = store.aside();
    Unpacking.into(process, aside.toString(), options, lower, filling);
    publish(process.kernel(), aside, snapshot);
  }

  /// What the layers below make together; only the process has it mounted.
  private LowerTree lower(HelperKernel process, List<String> names) {
    SnapshotChain chain = new SnapshotChain(directory, names);
    Batch batch = new Batch();
    int path = FileCall.O_PATH | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC;
    Pending<Descriptor> root;
    if (names.size() == 1) {
      String only = directory.resolve(names.getFirst()).toString();
      root = batch.add(new FileCall.Openat(Descriptor.CWD, only, path, 0, false));
    } else {
      String at = store.aside().toString();
      batch.add(new FileCall.Mkdirat(Descriptor.CWD, at, 0700));
      batch.add(
          new MountCall.Mount("jrun", at, "overlay", MountCall.MS_RDONLY, lowerOptions(chain)));
      root = batch.add(new FileCall.Openat(Descriptor.CWD, at, path, 0, false));
      batch.add(new MountCall.Umount2(at, MountCall.MNT_DETACH));
      batch.add(new FileCall.Unlinkat(Descriptor.CWD, at, FileCall.AT_REMOVEDIR));
    }
    return new LowerTree(process, process.run(batch).of(root));
  }

  private String lowerOptions(SnapshotChain chain) {
    return chain.lowerOption() + writer.overlayOptions();
  }

  private void publish(HelperKernel process, Path aside, Path snapshot) {
    try {
      sync(aside);
      try {
        // a directory that its owner may not write is moved by who may do all
        process.call(
            new FileCall.Renameat2(
                Descriptor.CWD, aside.toString(), Descriptor.CWD, snapshot.toString(), 0));
      } catch (KernelException e) {
        if (!Files.isDirectory(snapshot)) throw e;
        Unpacking.removeIn(process, aside.toString()); // another one was faster
      }
      DurableFiles.sync(Objects.requireNonNull(snapshot.getParent()));
    } catch (IOException e) {
      throw IoFailure.of("naming " + snapshot, e);
    }
  }

  /// All of it must be on the disk before its name says so.
  private void sync(Path path) {
    String parent = Objects.requireNonNull(path.getParent()).toString();
    try (OwnedDescriptor file =
        OwnedDescriptor.open(store.kernel(), FileCall.Openat.directory(parent))) {
      store.kernel().call(new TreeCall.Syncfs(file.descriptor()));
    }
  }
}
