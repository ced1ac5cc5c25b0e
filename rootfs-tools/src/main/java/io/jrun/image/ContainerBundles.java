package io.jrun.image;

import io.jrun.image.bundle.Accounts;
import io.jrun.image.bundle.Adjustments;
import io.jrun.image.bundle.Conversion;
import io.jrun.image.bundle.Overrides;
import io.jrun.image.store.Images;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.Unpacking;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.WriterProcess;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Hook;
import io.jrun.specs.runtime.Hooks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

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

  /// Whether there is a bundle of that id, which a container uses or a crash left.
  public boolean exists(String id) {
    return java.nio.file.Files.isDirectory(directory(id));
  }

  /// Makes the bundle; a failure leaves nothing.
  public Path create(
      String id,
      Resolved image,
      Overrides overrides,
      Adjustments adjustments,
      boolean terminal,
      UnpackOptions options) {
    Path directory = directory(id);
    SnapshotChain chain = images.prepare(id, image, options);
    try (WriterProcess process = WriterProcess.of(caller.kernel(), caller.helper())) {
      HelperKernel helper = process.kernel();
      try {
        mount(helper, chain, id, image);
        Accounts accounts = BundleCreation.accounts(caller, directory + "/rootfs");
        Config config =
            adjustments.apply(
                Conversion.config(image.config(), accounts, overrides, terminal));
        write(helper, directory, withHook(config, id));
        return directory;
      } catch (RuntimeException e) {
        release(helper, id, e);
        throw e;
      }
    }
  }

  private Config withHook(Config config, String id) {
    Hook hook =
        new Hook(
            program.toString(),
            List.of(
                "jrun",
                "bundle",
                "release",
                "--store",
                images.store().root().toString(),
                id),
            List.of(),
            null,
            Json.JsonObject.EMPTY);
    return config.withHooks(
        new Hooks(
            List.of(), List.of(), List.of(), List.of(), List.of(), List.of(hook),
            Json.JsonObject.EMPTY));
  }

  private void mount(HelperKernel helper, SnapshotChain chain, String id, Resolved image) {
    Batch batch = new Batch();
    batch.add(new ProcessCall.Chdir(images.store().root().toString()));
    batch.add(new FileCall.Mkdirat(Descriptor.CWD, "bundles", 0711), Errno.EEXIST);
    Pending<?> own = batch.add(new FileCall.Mkdirat(Descriptor.CWD, "bundles/" + id, 0711), Errno.EEXIST);
    Results made = helper.run(batch);
    if (!made.succeeded(own)) throw new ImageException("a bundle of " + id + " exists already");
    if (chain.layers().isEmpty()) throw new ImageException(image.descriptor().digest() + " has no layers");
    Batch mount = new Batch();
    for (String name : List.of("rootfs", "upper", "work")) {
      mount.add(new FileCall.Mkdirat(Descriptor.CWD, "bundles/" + id + "/" + name, 0755));
    }
    // relative paths, so that many layers fit a page and no character needs to be escaped
    mount.add(new ProcessCall.Chdir("snapshots"));
    String beside = "../bundles/" + id + "/";
    String options =
        "lowerdir=" + chain.lowerdir() + ",upperdir=" + beside + "upper,workdir=" + beside + "work";
    mount.add(new MountCall.Mount("jrun", beside + "rootfs", "overlay", 0, options));
    helper.run(mount);
  }

  private static void write(HelperKernel helper, Path directory, Config config) {
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
        new FileCall.Write(
            file, config.toJson().toText("\t").getBytes(StandardCharsets.UTF_8)));
    batch.add(new FileCall.Close(file));
    helper.run(batch);
  }

  /// Unmounts and removes a bundle and gives its image back; it can be repeated.
  public void release(String id) {
    try (WriterProcess process = WriterProcess.of(caller.kernel(), caller.helper())) {
      release(process.kernel(), id);
    }
  }

  private void release(HelperKernel helper, String id, RuntimeException cause) {
    try {
      release(helper, id);
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private void release(HelperKernel helper, String id) {
    Path directory = directory(id);
    Batch batch = new Batch();
    // EINVAL: it is not mounted, or not in this mount namespace
    batch.add(
        new MountCall.Umount2(directory + "/rootfs", MNT_DETACH), Errno.EINVAL, Errno.ENOENT);
    helper.run(batch);
    try {
      Unpacking.removeIn(helper, directory.toString());
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e;
    }
    images.release(id);
  }
}
