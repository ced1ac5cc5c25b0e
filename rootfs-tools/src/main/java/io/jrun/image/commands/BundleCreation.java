package io.jrun.image.commands;

import io.jrun.image.ImageException;
import io.jrun.image.Layers;
import io.jrun.image.PlatformChoice;
import io.jrun.image.Resolved;
import io.jrun.image.bundle.Accounts;
import io.jrun.image.bundle.Adjustments;
import io.jrun.image.bundle.ConfigRequest;
import io.jrun.image.bundle.Overrides;
import io.jrun.image.bundle.OwnUserNamespace;
import io.jrun.image.store.ImageStore;
import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.stream.Origin;
import io.jrun.rootfs.unpack.IdMap;
import io.jrun.rootfs.unpack.Report;
import io.jrun.rootfs.unpack.Rights;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.Unpacking;
import io.jrun.rootfs.unpack.Whiteouts;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.IdMapping;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// Writes a bundle from a stored image: `config.json` and a `rootfs` of its own.
public final class BundleCreation {
  /// Of passwd(5) and group(5).
  private static final int MOST = 1 << 20;

  private final CallerFiles caller;
  private final Images images;
  private final Config base;

  /// @param base what the config says where neither the image nor the caller does
  public BundleCreation(CallerFiles caller, Images images, Config base) {
    this.caller = caller;
    this.images = images;
    this.base = base;
  }

  public Report create(
      String image,
      PlatformChoice platform,
      String directory,
      Overrides overrides,
      Adjustments adjustments,
      boolean terminal,
      UnpackOptions given) {
    UnpackOptions options = mapped(given.with(Whiteouts.APPLY));
    try (ImageStore.AutoCloseableLock lock = images.store().using()) {
      Resolved resolved = images.resolve(images.store().find(image), platform);
      boolean made = makeDirectory(directory);
      List<ImageStore.OpenedBlob> opened = new ArrayList<>();
      try {
        Function<ContentDescriptor, Origin> content =
            layer -> {
              ImageStore.OpenedBlob blob = images.store().open(layer);
              opened.add(blob);
              return blob.origin();
            };
        String rootfs = directory + "/rootfs";
        Report report =
            Unpacking.into(
                caller,
                rootfs,
                options,
                (writer, unpacker) -> Layers.unpack(writer, unpacker, resolved, content, options));
        try {
          Config config =
              new ConfigRequest(base(options), resolved.config(), overrides, adjustments, terminal)
                  .config(accounts(caller, rootfs));
          write(directory, config.toJson().toText("\t") + "\n");
        } catch (RuntimeException e) {
          Unpacking.remove(caller, rootfs);
          throw e;
        }
        return report;
      } catch (RuntimeException e) {
        if (made) removeDirectory(directory, e);
        throw e;
      } finally {
        opened.forEach(ImageStore.OpenedBlob::close);
      }
    }
  }

  /// As with podman, a map of users is that of groups too where there is none of these, and the
  /// other way round.
  private static UnpackOptions mapped(UnpackOptions given) {
    boolean isMapped = !given.uids().ranges().isEmpty() || !given.gids().ranges().isEmpty();
    if (!isMapped) return given;
    if (given.rights() == Rights.OWN) {
      throw new ImageException("--uid-map and --gid-map: the files would have your own ids");
    }
    IdMap uids = given.uids().ranges().isEmpty() ? given.gids() : given.uids();
    IdMap gids = given.gids().ranges().isEmpty() ? given.uids() : given.gids();
    return given.with(given.rights(), uids, gids);
  }

  private Config base(UnpackOptions options) {
    if (options.uids().ranges().isEmpty()) return base;
    return OwnUserNamespace.in(base, mappings(options.uids()), mappings(options.gids()));
  }

  private static List<IdMapping> mappings(IdMap map) {
    return map.ranges().stream()
        .map(range -> IdMapping.of(range.inside(), range.outside(), range.count()))
        .toList();
  }

  /// The accounts of a root file system.
  public static Accounts accounts(CallerFiles caller, String rootfs) {
    return new Accounts(text(caller, rootfs, "etc/passwd"), text(caller, rootfs, "etc/group"));
  }

  private static String text(CallerFiles caller, String rootfs, String path) {
    return caller
        .readInside(rootfs, path, MOST)
        .map(bytes -> new String(bytes, StandardCharsets.ISO_8859_1))
        .orElse("");
  }

  private boolean makeDirectory(String directory) {
    Batch batch = new Batch();
    Pending<?> mkdir =
        batch.add(new FileCall.Mkdirat(Descriptor.CWD, directory, 0777), Errno.EEXIST);
    Results results = caller.helper().run(batch);
    return results.succeeded(mkdir);
  }

  private void removeDirectory(String directory, RuntimeException cause) {
    try {
      caller.helper().call(new FileCall.Unlinkat(Descriptor.CWD, directory, FileCall.AT_REMOVEDIR));
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private void write(String directory, String config) {
    Batch batch = new Batch();
    batch.addFile(directory + "/config.json", FileCall.O_EXCL, config);
    caller.helper().run(batch);
  }
}
