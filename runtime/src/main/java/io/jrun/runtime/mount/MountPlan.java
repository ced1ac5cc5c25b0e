package io.jrun.runtime.mount;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.specs.runtime.Mount;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Mounts of a config, as calls for init. All of it works on descriptors of mounts not yet attached
/// and of targets resolved inside the root; no path is looked up twice.
public final class MountPlan {
  private final Batch batch;
  private final InRoot inRoot;
  private final DetachedMounts mounts;
  private final @Nullable RootPropagation outside;
  private final boolean isInUserNamespace;

  /// @param root the root file system's mount, from [RootFileSystem]
  /// @param label the SELinux label of what is mounted anew; null or empty for none
  public MountPlan(Batch batch, Descriptor root, @Nullable String label) {
    this(batch, root, label, null, false);
  }

  /// @param outside the root's propagation where the container has no mount namespace, so that what
  ///   is bound comes with the propagation that it has on the host; null where it has one
  /// @param isInUserNamespace whether the container is in one
  public MountPlan(
      Batch batch,
      Descriptor root,
      @Nullable String label,
      @Nullable RootPropagation outside,
      boolean isInUserNamespace) {
    this.isInUserNamespace = isInUserNamespace;
    this.batch = batch;
    this.outside = outside;
    this.inRoot = new InRoot(batch, root).straight();
    this.mounts = new DetachedMounts(batch, label);
  }

  /// What the message of a mount's failure begins with, as runc's does.
  static String step(Mount mount) {
    String source = mount.source() == null ? "" : mount.source();
    return "error mounting \"%s\" to rootfs at \"%s\"".formatted(source, mount.destination());
  }

  /// Whether it is mounted at `/dev`. In a new one devices are made before it is read-only: see
  /// [RootFileSystem#readonlyMount].
  public static boolean isDev(Mount mount) {
    return InRoot.components(mount.destination()).equals(List.of("dev"));
  }

  /// @param sourceIsDirectory for a bind mount, what its source is
  public void mount(Mount mount, boolean sourceIsDirectory) {
    mount(mount, sourceIsDirectory, null, false);
  }

  /// @param tree of a bind mount's source, prepared and still detached; null where it is to be
  ///   opened
  /// @param isOptional whether it is passed over where its place is missing and cannot be made
  public void mount(
      Mount mount, boolean sourceIsDirectory, @Nullable Descriptor tree, boolean isOptional) {
    String type = mount.type() == null ? "bind" : mount.type();
    MountOptions options = MountOptions.parse(type, mount.options());
    if (options.copyUp())
      throw new IllegalArgumentException("mount option tmpcopyup: is for tmpfs only");
    if (options.bind() && !options.data().isEmpty())
      throw new IllegalArgumentException(
          "mount option " + options.data().getFirst() + ": not for a bind mount");
    MountDestination.check(mount, type, options);
    batch.during(step(mount), () -> add(mount, type, options, sourceIsDirectory, tree, isOptional));
  }

  private void add(
      Mount mount,
      String type,
      MountOptions options,
      boolean sourceIsDirectory,
      @Nullable Descriptor tree,
      boolean isOptional) {
    Descriptor made =
        options.bind()
            ? bound(mount, options, tree)
            : mounts
                .fresh(type, mount.source(), isDev(mount) ? options.writable() : options)
                .descriptor();
    InRoot places = isOptional ? inRoot.tolerant() : inRoot;
    if (options.bind() && !sourceIsDirectory) {
      mounts.attachFile(made, places.file(mount.destination()), options);
      return;
    }
    Descriptor place =
        type.equals("proc") || type.equals("sysfs")
            ? batch.during(
                step(mount) + ": filesystem \"" + type + "\" must be mounted on ordinary directory",
                () -> places.directory(mount.destination()))
            : places.directory(mount.destination());
    if (type.equals("mqueue") && !options.bind()) mounts.labelRoot(made);
    mounts.attach(made, place, options);
  }

  private Descriptor bound(Mount mount, MountOptions options, @Nullable Descriptor prepared) {
    String source = mount.source() == null ? "" : mount.source();
    Descriptor tree = prepared != null ? prepared : mounts.bound(source, options);
    if (prepared == null && outside != null) outside.addToOutsideTree(batch, tree);
    mounts.restrict(tree, options, isInUserNamespace);
    return tree;
  }
}
