package io.jrun.image.commands;

/// How a container of an image wants its root.
///
/// @param limit of the bytes that it may change; 0 for none
public record ContainerRoot(Snapshotter snapshotter, long limit) {
  public static final ContainerRoot DEFAULT = new ContainerRoot(Snapshotter.AUTO, 0);
}
