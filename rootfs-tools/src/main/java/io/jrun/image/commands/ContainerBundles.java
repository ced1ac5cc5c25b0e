package io.jrun.image.commands;

import io.jrun.image.ImageException;
import io.jrun.image.LayerLinks;
import io.jrun.image.Overlay;
import io.jrun.image.Resolved;
import io.jrun.image.SnapshotChain;
import io.jrun.image.bundle.Accounts;
import io.jrun.image.bundle.ConfigRequest;
import io.jrun.image.bundle.RootMount;
import io.jrun.image.store.ImageStore;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.pack.TreeCopy;
import io.jrun.rootfs.unpack.Rights;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.WriterProcess;
import io.jrun.specs.runtime.Config;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Bundles of containers that run an image, in the store.
///
/// ```
///   bundles/ID/lease         whose it is, and the image that it keeps
///   bundles/ID/config.json
///   bundles/ID/rootfs        where the container's init mounts its overlayfs, or a copy
///   bundles/ID/upper, work   what the container changes
///   bundles/ID/layers        links to the image's layers, where these are many
/// ```
public final class ContainerBundles {

  static final String CONFIG = "config.json";

  /// Of passwd(5) and group(5).
  private static final int MOST = 1 << 20;

  private static final List<String> ATTEMPTED =
      List.of("work/work/incompat/volatile", "work/work/incompat", "work/work", "work", "rootfs");

  private final CallerFiles caller;
  private final Images images;
  private final RecentImages recent;

  /// A bundle that is made, but for its `config.json`, which nobody needs before hooks run.
  ///
  /// @param text the config as it will be on disk
  /// @param root what its root is to be; null where `rootfs` is
  public record Made(Path directory, Config config, byte[] text, @Nullable RootMount root) {
    /// Writes `config.json`.
    public void writeConfig() {
      try {
        Files.write(directory.resolve(CONFIG), text);
      } catch (IOException e) {
        throw IoFailure.of("the bundle " + directory, e);
      }
    }
  }

  public ContainerBundles(CallerFiles caller, Images images) {
    this.caller = caller;
    this.images = images;
    this.recent = images.recent();
  }

  private Path directory(String id) {
    if (!id.matches("[A-Za-z0-9_+.-]+") || id.equals(".") || id.equals("..")) {
      throw new ImageException("not a container's id: " + id);
    }
    return images.store().bundles().resolve(id);
  }

  /// The store's directory.
  public String store() {
    return images.store().root().toString();
  }

  /// Takes the id.
  ///
  /// @param owner the directory of the containers' state
  public BundleClaim claim(String id, String owner) {
    Path directory = directory(id);
    ImageStore store = images.store();
    try (ImageStore.AutoCloseableLock lock = store.adding()) {
      return BundleClaim.take(
          caller.kernel(), directory, owner, place -> recent.spares().put(store, place));
    }
  }

  /// Makes a bundle that was claimed; a failure leaves nothing.
  ///
  /// @param volumes named ones, which are made where they are missing
  /// @param limits how to unpack layers, asked where one is missing
  public Made create(
      BundleClaim claim,
      Resolved image,
      ContainerRoot wanted,
      List<NamedVolume> volumes,
      Supplier<UnpackOptions> limits,
      ConfigRequest config) {
    try {
      if (image.manifest().layers().isEmpty()) {
        throw new ImageException(image.descriptor().digest() + " has no layers");
      }
      return stacks(wanted, image, claim.directory())
          ? stacked(claim, image, wanted, volumes, limits, config)
          : copied(claim, image, wanted, volumes, limits, config);
    } catch (RuntimeException e) {
      undo(claim.id(), e);
      throw e;
    }
  }

  private boolean stacks(ContainerRoot wanted, Resolved image, Path directory) {
    int layers = image.manifest().layers().size();
    boolean isTooMany = layers > Overlay.MOST_LAYERS;
    if (wanted.snapshotter() != Snapshotter.AUTO) {
      boolean isAsked = wanted.snapshotter() == Snapshotter.OVERLAYFS;
      if (isAsked && isTooMany) {
        throw new ImageException(
            "overlayfs stacks %d layers, the image has %d: it can run with --snapshotter copy"
                .formatted(Overlay.MOST_LAYERS, layers));
      }
      return isAsked;
    }
    if (isTooMany) return false;
    Path store = images.store().root();
    Optional<Boolean> known = recent.canStack(store);
    if (known.isPresent()) return known.get();
    boolean can = tryStacking(directory);
    recent.stacks(store, can);
    return can;
  }

  /// Mounts an overlayfs where only a process sees it.
  private boolean tryStacking(Path directory) {
    String probe = directory + "/probe";
    Batch batch = new Batch();
    batch.add(new FileCall.Mkdirat(Descriptor.CWD, probe, 0755));
    for (String name : List.of("lower", "upper", "work")) {
      batch.add(new FileCall.Mkdirat(Descriptor.CWD, probe + "/" + name, 0755));
    }
    String at = SnapshotChain.escaped(Path.of(probe));
    String options =
        "lowerdir=" + at + "/lower,upperdir=" + at + "/upper,workdir=" + at + "/work,volatile";
    Pending<?> mount =
        batch.attempt(
            new MountCall.Mount(
                "jrun", probe, "overlay", 0, options + images.writer().overlayOptions()));
    try (WriterProcess process = images.writer().start().get()) {
      return process.kernel().run(batch).succeeded(mount);
    } finally {
      Trees.remove(caller, images.writer(), Path.of(probe));
    }
  }

  private Made stacked(
      BundleClaim claim,
      Resolved image,
      ContainerRoot wanted,
      List<NamedVolume> volumes,
      Supplier<UnpackOptions> limits,
      ConfigRequest config) {
    Path directory = claim.directory();
    SnapshotChain chain =
        images.prepare(claim, image, volumes, limits, making -> making.stacked(image));
    String own = SnapshotChain.escaped(directory) + (wanted.limit() > 0 ? "/changes" : "");
    // volatile (Linux 5.10): what a container changes goes with it, so nothing waits for the disk
    String changes =
        ",upperdir="
            + own
            + "/upper,workdir="
            + own
            + "/work,volatile"
            + images.writer().overlayOptions();
    LayerLinks links = new LayerLinks(caller.kernel(), directory.resolve("layers"));
    Overlay overlay = Overlay.of(chain, changes, links);
    Path top = chain.layers().getLast();
    RecentImages.Seen seen =
        recent
            .of(top)
            .orElseGet(() -> {
              RecentImages.Seen found = inTree(chain, directory, this::seen);
              recent.put(top, found);
              return found;
            });
    if (isMissing(volumes)) {
      inTree(
          chain,
          directory,
          (process, root) -> {
            make(volumes, process, root);
            return true;
          });
    }
    EntryStat like = seen.root();
    RecentImages.Described made = recent.described(config, seen.accounts());
    boolean isSpare = claim.state() == BundleClaim.State.SPARE;
    if (!isSpare) mkdir(directory + "/" + Spares.ROOTFS);
    if (wanted.limit() > 0) {
      mkdir(directory + "/changes");
    } else {
      if (!isSpare) {
        mkdir(directory + "/" + Spares.UPPER);
        mkdir(directory + "/" + Spares.WORK);
      }
      String upper = directory + "/" + Spares.UPPER;
      int mode = like.mode() & 07777;
      if (mode != Spares.MODE)
        caller.kernel().call(new FileCall.Fchmodat(Descriptor.CWD, upper, mode));
      caller
          .kernel()
          .call(
              new TreeCall.Utimensat(
                  Descriptor.CWD,
                  upper,
                  0,
                  TreeCall.UTIME_OMIT,
                  like.modifySeconds(),
                  like.modifyNanos()));
    }
    if (wanted.limit() == 0) own(directory + "/upper", like);
    return new Made(
        directory,
        made.config(),
        made.text(),
        new RootMount(
            overlay,
            directory + (wanted.limit() > 0 ? "/changes" : ""),
            wanted.limit(),
            like.mode() & 07777,
            like.uid(),
            like.gid()));
  }

  /// The store is the engine's user's: it makes what is its own without asking the caller.
  private void mkdir(String path) {
    Spares.makeDirectory(caller.kernel(), path, Spares.MODE);
  }

  /// Gives the root's owner to the upper directory, which the caller has made.
  private void own(String upper, EntryStat like) {
    if (like.uid() == 0 && like.gid() == 0) return;
    Batch batch = new Batch();
    batch.add(new FileCall.Fchownat(Descriptor.CWD, upper, like.uid(), like.gid(), 0));
    batch.add(new FileCall.Fchmodat(Descriptor.CWD, upper, like.mode() & 07777));
    if (images.writer().rights() == Rights.ALL) {
      caller.helper().run(batch);
    } else {
      try (WriterProcess process = images.writer().start().get()) {
        process.kernel().run(batch);
      }
    }
  }

  private boolean isMissing(List<NamedVolume> volumes) {
    return !volumes.stream().allMatch(volume -> images.volumes().has(volume.name()));
  }

  /// Makes those that are missing.
  private void make(List<NamedVolume> volumes, HelperKernel process, String root) {
    ImageStore store = images.store();
    for (NamedVolume volume : volumes) {
      try (ImageStore.AutoCloseableLock lock = store.using()) {
        if (!images.volumes().has(volume.name())) {
          VolumeMaking.make(process, root, volume, images.volumes(), store.aside());
        }
      }
    }
  }

  /// Uses the image's tree as the container will see it, by a process that may read it.
  ///
  /// @param use is given the process and the path of the tree
  private <R> R inTree(
      SnapshotChain chain, Path directory, BiFunction<HelperKernel, String, R> use) {
    try (WriterProcess process = images.writer().start().get()) {
      String root = chain.layers().getFirst().toString();
      if (chain.layers().size() > 1) {
        root = directory + "/look";
        try (LayerLinks links = new LayerLinks(caller.kernel(), directory.resolve("look-layers"))) {
          Overlay overlay = Overlay.of(chain, images.writer().overlayOptions(), links);
          Batch batch = new Batch();
          batch.add(new FileCall.Mkdirat(Descriptor.CWD, root, 0700));
          overlay.addMount(batch, root, MountCall.MS_RDONLY);
          process.kernel().run(batch);
        }
      }
      R result = use.apply(process.kernel(), root);
      if (chain.layers().size() > 1) {
        Batch batch = new Batch();
        batch.add(new MountCall.Umount2(root, MountCall.MNT_DETACH));
        batch.add(new FileCall.Unlinkat(Descriptor.CWD, root, FileCall.AT_REMOVEDIR));
        process.kernel().run(batch);
      }
      return result;
    }
  }

  private RecentImages.Seen seen(HelperKernel process, String root) {
    Batch batch = new Batch();
    Pending<EntryStat> stat = batch.add(new TreeCall.StatEntry(Descriptor.CWD, root));
    Pending<byte[]> passwd = caller.readInside(batch, root, "etc/passwd", MOST);
    Pending<byte[]> group = caller.readInside(batch, root, "etc/group", MOST);
    Results results = process.run(batch);
    return new RecentImages.Seen(
        new Accounts(text(results, passwd), text(results, group)), results.of(stat));
  }

  private static String text(Results results, Pending<byte[]> read) {
    return results.succeeded(read) ? new String(results.of(read), StandardCharsets.ISO_8859_1) : "";
  }

  private Made copied(
      BundleClaim claim,
      Resolved image,
      ContainerRoot wanted,
      List<NamedVolume> volumes,
      Supplier<UnpackOptions> limits,
      ConfigRequest config) {
    if (wanted.limit() > 0) {
      throw new ImageException("a limit of a container's changes (size=) needs overlayfs");
    }
    Path directory = claim.directory();
    Path tree = images.prepare(claim, image, volumes, limits, making -> making.flat(image));
    String root = directory + "/" + Spares.ROOTFS;
    if (claim.state() == BundleClaim.State.SPARE)
      Spares.removeDirectories(caller.kernel(), directory);
    Accounts accounts;
    try (WriterProcess process = images.writer().start().get()) {
      accounts = seen(process.kernel(), tree.toString()).accounts();
      make(volumes, process.kernel(), tree.toString());
      TreeCopy.copy(process.kernel(), tree.toString(), root);
    }
    RecentImages.Described made = recent.described(config, accounts);
    return new Made(directory, made.config(), made.text(), null);
  }

  private void undo(String id, RuntimeException cause) {
    try {
      release(id);
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  /// Removes a bundle and gives its image back; it can be repeated. Nothing of the container may
  /// run.
  public void release(String id) {
    Path directory = directory(id);
    if (images.writer().rights() == Rights.ALL && isTakenAway(directory)) return;
    try {
      OwnTree.remove(caller.kernel(), directory);
    } catch (KernelException e) {
      releaseByCaller(directory);
    }
  }

  private boolean isTakenAway(Path directory) {
    try {
      recent.trash().take(images.store(), directory);
      return true;
    } catch (KernelException e) {
      return e.errno().equals(Errno.ENOENT);
    }
  }

  private void releaseByCaller(Path directory) {
    Batch batch = new Batch();
    // a container of jrun's before had it mounted in the host's namespace
    batch.attempt(new MountCall.Umount2(directory + "/rootfs", MountCall.MNT_DETACH));
    if (images.writer().rights() != Rights.ALL) {
      // overlayfs makes it of mode 0
      batch.attempt(new FileCall.Fchmodat(Descriptor.CWD, directory + "/work/work", 0700));
    }
    for (String name : ATTEMPTED) {
      String path = directory + "/" + name;
      batch.attempt(new FileCall.Unlinkat(Descriptor.CWD, path, FileCall.AT_REMOVEDIR));
    }
    caller.helper().run(batch);
    Trees.remove(caller, images.writer(), directory);
  }

  /// Releases what was left by commands that were killed: bundles without a container, which nobody
  /// is making one of. Returns how many.
  ///
  /// @param isContainer whether a directory of containers' state, empty where the bundle names
  ///   none, has a container of that id
  public int collect(BiPredicate<String, String> isContainer) {
    int released = 0;
    try (DirectoryStream<Path> all = Files.newDirectoryStream(images.store().bundles())) {
      for (Path bundle : all) {
        String id = bundle.getFileName().toString();
        try (BundleClaim claim = BundleClaim.ofLeft(caller.kernel(), bundle)) {
          if (claim == null || isContainer.test(claim.leasedTo(), id)) continue;
          release(id);
          released++;
        }
      }
    } catch (NoSuchFileException e) {
      // no container ever ran an image of this store
    } catch (IOException e) {
      throw IoFailure.of("the bundles of " + store(), e);
    }
    return released;
  }
}
