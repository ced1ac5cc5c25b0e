package io.jrun.image.commands;

import io.jrun.image.ImageException;
import io.jrun.image.ImageName;
import io.jrun.image.PlatformChoice;
import io.jrun.image.Resolved;
import io.jrun.image.layout.LayoutArchive;
import io.jrun.image.registry.Progress;
import io.jrun.image.registry.Pull;
import io.jrun.image.registry.Push;
import io.jrun.image.registry.RegistryOptions;
import io.jrun.image.source.ImageFiles;
import io.jrun.image.source.ImageSource;
import io.jrun.image.source.Source;
import io.jrun.image.store.Collection;
import io.jrun.image.store.ImageStore;
import io.jrun.image.store.Lease;
import io.jrun.image.store.Reachable;
import io.jrun.image.store.SnapshotMaking;
import io.jrun.image.store.StoreWriter;
import io.jrun.image.store.Verification;
import io.jrun.image.store.Volumes;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.DamagedException;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.pack.OutputFile;
import io.jrun.rootfs.stream.Origin;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.Unpacking;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// What can be done with a store's images, for one caller.
public final class Images {
  private final CallerFiles caller;
  private final ImageStore store;
  private final StoreWriter writer;
  private final RecentImages recent;

  private Images(CallerFiles caller, ImageStore store, StoreWriter writer, RecentImages recent) {
    this.caller = caller;
    this.store = store;
    this.writer = writer;
    this.recent = recent;
  }

  /// The store of a caller: the directory given, or `/var/lib/jrun`, or for an ordinary user
  /// `~/.local/share/jrun`.
  ///
  /// @param directory empty where none was given
  /// @param writer as whom trees are written
  public static Images open(
      CallerFiles caller, String directory, int uid, StoreWriter writer, RecentImages recent) {
    Path root;
    if (!directory.isEmpty()) {
      root = Path.of(caller.absolute(directory)).normalize();
    } else if (uid == 0) {
      root = Path.of("/var/lib/jrun");
    } else {
      root =
          caller
              .variable("XDG_DATA_HOME")
              .filter(home -> home.startsWith("/"))
              .or(() -> caller.variable("HOME").map(home -> home + "/.local/share"))
              .map(home -> Path.of(home, "jrun"))
              .orElseThrow(() -> new ImageException("no directory for images: HOME is not set"));
    }
    ImageStore store = ImageStore.open(caller.kernel(), root, recent.documents());
    return new Images(caller, store, writer, recent);
  }

  public ImageStore store() {
    return store;
  }

  StoreWriter writer() {
    return writer;
  }

  RecentImages recent() {
    return recent;
  }

  /// Adds the images of a source; returns their names, or their digests where they have none.
  ///
  /// @param name in place of the source's own name, for a source with one image; empty for those
  public List<String> load(String path, String name, UnpackOptions limits) {
    try (Source source = Source.openImage(caller, path, Unpacking.expansion(limits));
        ImageStore.AutoCloseableLock lock = store.adding()) {
      if (!(source instanceof Source.Images(ImageSource images))) {
        throw new ImageException(path + ": the archive of a tree of files, not an image");
      }
      if (!name.isEmpty()
          && images.images().stream().map(ImageSource.Named::image).distinct().count() != 1) {
        throw new ImageException(path + ": --name is for a source with one image");
      }
      List<String> loaded = new ArrayList<>();
      for (ImageSource.Named image : images.images()) {
        copy(images, image.image());
        Optional<ImageName> as =
            name.isEmpty() ? as(image.name().orElse(""), path) : Optional.of(ImageName.parse(name));
        store.name(as, image.image());
        loaded.add(as.map(ImageName::text).orElse(image.image().digest().text()));
      }
      return loaded.stream().distinct().toList();
    }
  }

  /// A layout's own names may be tags only: they get the layout's name before them.
  private static Optional<ImageName> as(String name, String path) {
    if (name.isEmpty()) return Optional.empty();
    boolean isTag = name.indexOf('/') < 0 && name.indexOf(':') < 0;
    if (!isTag) return Optional.of(ImageName.parse(name));
    String file = Path.of(path).getFileName() == null ? "" : Path.of(path).getFileName().toString();
    String base = file.toLowerCase(Locale.ROOT).replaceAll("(\\.(tar|tgz|gz|zst|xz|bz2))+$", "");
    try {
      return Optional.of(ImageName.parse(base + ":" + name));
    } catch (ImageException e) {
      return Optional.of(ImageName.parse(name));
    }
  }

  private void copy(ImageSource source, ContentDescriptor descriptor) {
    if (MediaType.isIndex(descriptor.mediaType())) {
      byte[] bytes = source.document(descriptor);
      for (ContentDescriptor manifest : Index.read("an index", bytes).manifests()) {
        if (source.has(manifest)) copy(source, manifest);
      }
      store.add(descriptor.mediaType(), bytes);
    } else if (MediaType.isManifest(descriptor.mediaType())) {
      byte[] bytes = source.document(descriptor);
      Manifest manifest = Manifest.read("a manifest", bytes);
      store.add(manifest.config().mediaType(), source.document(manifest.config()));
      for (ContentDescriptor layer : manifest.layers()) {
        if (!MediaType.isDistributable(layer.mediaType()) && !source.has(layer)) {
          throw new ImageException(
              "the layer "
                  + layer.digest()
                  + " is not distributable, and not there: only pull asks its urls");
        }
        store.add(layer, source.content(layer));
      }
      store.add(descriptor.mediaType(), bytes);
    } else {
      throw new ImageException(descriptor.digest() + " is no image: " + descriptor.mediaType());
    }
  }

  public List<ContentDescriptor> list() {
    return store.index().manifests();
  }

  /// An image's name; empty where it has none.
  public static String nameOf(ContentDescriptor image) {
    return ImageStore.nameOf(image).orElse("");
  }

  /// An image for one platform, whose documents are verified.
  public Resolved resolve(String name, PlatformChoice platform) {
    try (ImageStore.AutoCloseableLock lock = store.using()) {
      ContentDescriptor image = store.find(name);
      return recent.resolved(
          store.root(), image.digest(), platform, () -> resolve(image, platform));
    }
  }

  public Resolved resolve(ContentDescriptor image, PlatformChoice platform) {
    return Resolved.of(image, platform, store::document);
  }

  public void tag(String name, String as) {
    try (ImageStore.AutoCloseableLock lock = store.using()) {
      store.name(Optional.of(ImageName.parse(as)), store.find(name));
    }
  }

  /// Takes a name away, and what then nobody needs.
  public void remove(String name) {
    try (ImageStore.AutoCloseableLock lock = store.using()) {
      ContentDescriptor image = store.find(name);
      store.update(before -> before.stream().filter(d -> !d.equals(image)).toList());
    }
    collect();
  }

  /// Removes images without a name, and all that nobody needs. Returns what was freed, in words.
  public String prune() {
    Collection.Freed freed = store.exists() ? pruned() : Collection.Freed.NOTHING;
    return freed.blobs()
        + " blobs of "
        + freed.bytes()
        + " bytes and "
        + freed.snapshots()
        + " unpacked layers";
  }

  private Collection.Freed pruned() {
    try (ImageStore.AutoCloseableLock lock = store.using()) {
      store.update(
          before -> before.stream().filter(d -> ImageStore.nameOf(d).isPresent()).toList());
    }
    return collect();
  }

  private Collection.Freed collect() {
    return Collection.run(store, path -> Trees.remove(caller, writer, path));
  }

  public Volumes volumes() {
    return new Volumes(store);
  }

  /// Removes a volume that no container has.
  public void removeVolume(String name) {
    volumes().remove(name, path -> Trees.remove(caller, writer, path));
  }

  /// Checks all content of an image, or of all images: digests, sizes and diff_ids. Returns the
  /// number of blobs.
  public int verify(String name) {
    try (ImageStore.AutoCloseableLock lock = store.using()) {
      List<ContentDescriptor> images = name.isEmpty() ? list() : List.of(store.find(name));
      return Verification.run(store, images);
    }
  }

  /// Fetches an image from its registry.
  public ContentDescriptor pull(
      String name, PlatformChoice platform, RegistryOptions options, Progress progress) {
    return new Pull(caller, store, options, progress).pull(ImageName.parse(name), platform);
  }

  /// Sends an image to the registry of a name, by default its own.
  public void push(String image, String name, RegistryOptions options, Progress progress) {
    ImageName to = ImageName.parse(name.isEmpty() ? image : name);
    new Push(caller, store, options, progress).push(store.find(image), to);
  }

  /// A file of the caller, such as certificates.
  public byte[] file(String path) {
    try (OwnedDescriptor file = caller.open(path)) {
      return ImageFiles.bytes(
          path, Origin.range(caller.kernel(), file, 0, caller.stat(file).size()));
    }
  }

  /// Writes an image, for all platforms that are there, as the archive of an OCI layout.
  public void save(String name, String to) {
    try (ImageStore.AutoCloseableLock lock = store.using();
        OutputFile file = OutputFile.create(caller, to)) {
      ContentDescriptor image = store.find(name);
      LayoutArchive archive = new LayoutArchive(file);
      archive.begin(List.of(image));
      for (ContentDescriptor blob : Reachable.from(store, image)) {
        try (ImageStore.OpenedBlob opened = store.open(blob)) {
          archive.blob(blob, opened.origin());
        }
      }
      archive.end();
      file.complete();
    } catch (DamagedException e) {
      throw ImageStore.damaged(e);
    } catch (IOException e) {
      throw IoFailure.of(to, e);
    }
  }

  /// Unpacks an image where that was not done before, and keeps it for the holder of a bundle as
  /// long as that is there.
  ///
  /// @param volumes that the holder has, which are kept for it too
  /// @param making chooses in which form
  <R> R prepare(
      BundleClaim holder,
      Resolved image,
      List<NamedVolume> volumes,
      Supplier<UnpackOptions> limits,
      Function<SnapshotMaking, R> making) {
    try (ImageStore.AutoCloseableLock lock = store.using()) {
      List<String> names = volumes.stream().map(NamedVolume::name).distinct().toList();
      new Lease(holder.owner(), image.descriptor(), names).write(holder.directory());
      return making.apply(new SnapshotMaking(store, writer, limits));
    }
  }
}
