package io.jrun.image.commands;

import io.jrun.image.ImageException;
import io.jrun.image.Resolved;
import io.jrun.image.SnapshotChain;
import io.jrun.image.bundle.Accounts;
import io.jrun.image.bundle.Adjustments;
import io.jrun.image.bundle.Conversion;
import io.jrun.image.bundle.Overrides;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.Unpacking;
import io.jrun.rootfs.unpack.WriterProcess;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Hook;
import io.jrun.specs.runtime.Hooks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// Bundles of containers that run an image: in the store, with the image's unpacked layers below an
/// overlayfs, mounted where the caller's mounts are.
///
/// ```
///   bundles/ID/config.json   with a poststop hook that releases all of this
///   bundles/ID/rootfs        the overlayfs
///   bundles/ID/upper, work   what the container changes
/// ```
public final class ContainerBundles {
  private static final int MNT_DETACH = 2;
  private static final int MOST_OPTIONS = 4000;

  /// What passwd(5) and group(5) of most images fit.
  private static final int SMALL = 8192;

  private final CallerFiles caller;
  private final Images images;
  private final Path program;

  /// @param program the installed jrun, which the hook runs
  public ContainerBundles(CallerFiles caller, Images images, Path program) {
    this.caller = caller;
    this.images = images;
    this.program = program;
  }

  private Path directory(String id) {
    if (!id.matches("[A-Za-z0-9_+.-]+") || id.equals(".") || id.equals("..")) {
      throw new ImageException("not a container's id: " + id);
    }
    return images.store().root().resolve("bundles").resolve(id);
  }

  /// Takes the id.
  ///
  /// @param owner the directory of the containers' state
  public BundleClaim claim(String id, String owner) {
    return BundleClaim.take(caller.kernel(), directory(id), owner);
  }

  /// Makes the bundle of an id that was claimed; a failure leaves nothing.
  ///
  /// @param options how to unpack layers, asked where one is missing
  public Path create(
      String id,
      Resolved image,
      Overrides overrides,
      Adjustments adjustments,
      boolean terminal,
      Supplier<UnpackOptions> options) {
    Path directory = directory(id);
    try {
      SnapshotChain chain = images.prepare(id, image, options);
      if (chain.layers().isEmpty()) {
        throw new ImageException(image.descriptor().digest() + " has no layers");
      }
      Accounts accounts = mount(chain, directory);
      Config config =
          adjustments.apply(Conversion.config(image.config(), accounts, overrides, terminal));
      write(directory, withHook(config, id));
      return directory;
    } catch (RuntimeException e) {
      undo(id, e);
      throw e;
    }
  }

  private Config withHook(Config config, String id) {
    Hook hook =
        new Hook(
            program.toString(),
            List.of("jrun", "bundle", "release", "--store", images.store().root().toString(), id),
            List.of(),
            null,
            Json.JsonObject.EMPTY);
    return config.withHooks(
        new Hooks(
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(hook),
            Json.JsonObject.EMPTY));
  }

  /// Mounts the root and reads its accounts, in one message.
  private Accounts mount(SnapshotChain chain, Path directory) {
    Batch batch = new Batch();
    for (String name : List.of("rootfs", "upper", "work")) {
      batch.add(new FileCall.Mkdirat(Descriptor.CWD, directory + "/" + name, 0755));
      // whatever the umask took away
      batch.add(new FileCall.Fchmodat(Descriptor.CWD, directory + "/" + name, 0755));
    }
    String rootfs = directory + "/rootfs";
    String options = options(chain, directory);
    if (options.length() >= MOST_OPTIONS) {
      throw new ImageException(
          "the image has too many layers for one mount: " + chain.layers().size());
    }
    batch.add(new MountCall.Mount("jrun", rootfs, "overlay", 0, options));
    List<Pending<byte[]>> reads = new ArrayList<>();
    for (String name : List.of("etc/passwd", "etc/group")) {
      reads.add(caller.readInside(batch, rootfs, name, SMALL));
    }
    Results results = caller.helper().run(batch);
    for (Pending<byte[]> read : reads) {
      if (results.succeeded(read) && results.of(read).length == SMALL) {
        return BundleCreation.accounts(caller, rootfs);
      }
    }
    return new Accounts(text(results, reads.get(0)), text(results, reads.get(1)));
  }

  private static String text(Results results, Pending<byte[]> read) {
    return results.succeeded(read) ? new String(results.of(read), StandardCharsets.ISO_8859_1) : "";
  }

  /// Volatile (Linux 5.10): what a container changes goes with it, so no unmount waits for the
  /// disk. Overlayfs takes a page of options.
  private static String options(SnapshotChain chain, Path directory) {
    StringBuilder lower = new StringBuilder();
    for (String layer : chain.layers().reversed()) {
      if (!lower.isEmpty()) lower.append(':');
      lower.append(escaped(chain.directory())).append('/').append(layer);
    }
    String own = escaped(directory);
    return "lowerdir=" + lower + ",upperdir=" + own + "/upper,workdir=" + own + "/work,volatile";
  }

  private static String escaped(Path path) {
    return path.toString().replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
  }

  private void write(Path directory, Config config) {
    Batch batch = new Batch();
    Descriptor file =
        batch
            .add(
                new FileCall.Openat(
                    Descriptor.CWD,
                    directory + "/config.json",
                    FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_EXCL | FileCall.O_CLOEXEC,
                    0644,
                    false))
            .descriptor();
    batch.add(
        new FileCall.Write(file, config.toJson().toText("\t").getBytes(StandardCharsets.UTF_8)));
    batch.add(new FileCall.Close(file));
    caller.helper().run(batch);
  }

  /// Unmounts and removes a bundle and gives its image back; it can be repeated.
  public void release(String id) {
    try (WriterProcess process = WriterProcess.of(caller.kernel(), caller.helper())) {
      release(process.kernel(), id);
    }
  }

  private void undo(String id, RuntimeException cause) {
    try {
      release(id);
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private void release(HelperKernel helper, String id) {
    Path directory = directory(id);
    Batch batch = new Batch();
    // EINVAL: it is not mounted, or not in this mount namespace
    batch.add(new MountCall.Umount2(directory + "/rootfs", MNT_DETACH), Errno.EINVAL, Errno.ENOENT);
    helper.run(batch);
    try {
      Unpacking.removeIn(helper, directory.toString());
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e;
    }
    images.release(id);
  }
}
