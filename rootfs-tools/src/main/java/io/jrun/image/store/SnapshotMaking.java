package io.jrun.image.store;

import io.jrun.image.LayerLinks;
import io.jrun.image.Layers;
import io.jrun.image.Overlay;
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
import io.jrun.rootfs.DamagedException;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Unpacks those layers of an image that nobody unpacked before. Two that make the same one at once
/// make it twice; the first to end counts.
public final class SnapshotMaking {
  private static final int PATH = FileCall.O_PATH | FileCall.O_DIRECTORY;

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
    List<Path> snapshots =
        Snapshots.chains(image.config().diffIds(), writer).stream()
            .map(directory::resolve)
            .toList();
    if (!snapshots.stream().allMatch(Files::isDirectory)) {
      try (WriterProcess process = writer.start().get()) {
        makeMissing(process, image, snapshots);
      }
    }
    return new SnapshotChain(snapshots);
  }

  /// All are on the disk by one sync. Where a layer cannot be unpacked, those before it stay.
  private void makeMissing(WriterProcess process, Resolved image, List<Path> snapshots) {
    UnpackOptions options = writer.options(limits.get()).with(Whiteouts.OVERLAY);
    Map<Path, Path> made = new LinkedHashMap<>();
    try (LayerLinks links = new LayerLinks(store.kernel(), store.aside())) {
      List<Path> below = new ArrayList<>();
      for (int i = 0; i < snapshots.size(); i++) {
        Path snapshot = snapshots.get(i);
        if (!Files.isDirectory(snapshot)) {
          try (LowerTree lower = i == 0 ? null : lower(process.kernel(), below, links)) {
            made.put(snapshot, unpacked(process, image, i, options, lower));
          }
        }
        below.add(made.getOrDefault(snapshot, snapshot));
      }
    } catch (RuntimeException e) {
      try {
        publish(process.kernel(), made);
      } catch (RuntimeException f) {
        e.addSuppressed(f);
      }
      throw e;
    }
    publish(process.kernel(), made);
  }

  private Path unpacked(
      WriterProcess process,
      Resolved image,
      int number,
      UnpackOptions options,
      @Nullable LowerTree lower) {
    ContentDescriptor layer = image.manifest().layers().get(number);
    Digest diffId = image.config().diffIds().get(number);
    try (ImageStore.OpenedBlob blob = store.open(layer)) {
      return make(
          process,
          options,
          lower,
          (kernel, unpacker) ->
              Layers.one(kernel, unpacker, layer, diffId, blob.origin(), options));
    } catch (DamagedException e) {
      throw ImageStore.damaged(e);
    }
  }

  /// All layers in one tree.
  public Path flat(Resolved image) {
    Path snapshot = directory.resolve(Snapshots.flat(image.config().diffIds(), writer));
    if (Files.isDirectory(snapshot)) return snapshot;
    UnpackOptions options = writer.options(limits.get()).with(Whiteouts.APPLY);
    List<ImageStore.OpenedBlob> opened = new ArrayList<>();
    try (WriterProcess process = writer.start().get()) {
      Path made =
          make(
              process,
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
      publish(process.kernel(), Map.of(snapshot, made));
    } catch (DamagedException e) {
      throw ImageStore.damaged(e);
    } finally {
      opened.forEach(ImageStore.OpenedBlob::close);
    }
    return snapshot;
  }

  private Path make(
      WriterProcess process,
      UnpackOptions options,
      @Nullable LowerTree lower,
      Unpacking.Filling filling) {
    Path aside = store.aside();
    Unpacking.into(process, aside.toString(), options, lower, filling);
    return aside;
  }

  /// What the layers below make together; only the process has it mounted.
  private LowerTree lower(HelperKernel process, List<Path> layers, LayerLinks links) {
    if (layers.size() == 1) {
      String only = layers.getFirst().toString();
      return new LowerTree(process, process.call(FileCall.Openat.existing(only, PATH)));
    }
    Overlay overlay = Overlay.of(new SnapshotChain(layers), writer.overlayOptions(), links);
    String at = store.aside().toString();
    Batch batch = new Batch();
    batch.add(new FileCall.Mkdirat(Descriptor.CWD, at, 0700));
    overlay.addMount(batch, at, MountCall.MS_RDONLY);
    Pending<Descriptor> root = batch.add(FileCall.Openat.existing(at, PATH));
    batch.add(new MountCall.Umount2(at, MountCall.MNT_DETACH));
    batch.add(new FileCall.Unlinkat(Descriptor.CWD, at, FileCall.AT_REMOVEDIR));
    return new LowerTree(process, process.run(batch).of(root));
  }

  /// Gives what was made its name.
  ///
  /// @param made trees by the snapshots that they become
  private void publish(HelperKernel process, Map<Path, Path> made) {
    if (made.isEmpty()) return;
    try {
      sync();
      made.forEach((snapshot, aside) -> publish(process, aside, snapshot));
      DurableFiles.sync(directory);
    } catch (IOException e) {
      throw IoFailure.of("naming snapshots", e);
    }
  }

  private static void publish(HelperKernel process, Path aside, Path snapshot) {
    try {
      // a directory that its owner may not write is moved by who may do all
      process.call(
          new FileCall.Renameat2(
              Descriptor.CWD, aside.toString(), Descriptor.CWD, snapshot.toString(), 0));
    } catch (KernelException e) {
      if (!Files.isDirectory(snapshot)) throw e;
      Unpacking.removeIn(process, aside.toString()); // another one was faster
    }
  }

  /// All of it must be on the disk before its name says so.
  private void sync() {
    try (OwnedDescriptor file =
        OwnedDescriptor.open(store.kernel(), FileCall.Openat.directory(directory.toString()))) {
      store.kernel().call(new TreeCall.Syncfs(file.descriptor()));
    }
  }
}
