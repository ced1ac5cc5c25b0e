package io.jrun.image.bundle;

import io.jrun.image.Overlay;

/// The overlayfs that is the root of a container: its init mounts it, in the container's own mount
/// namespace, so it goes with the container's last process, and nobody else has it.
///
/// @param overlay with its upper and work directory
/// @param changes the directory of the upper and the work directory
/// @param limit of the bytes that the container may change, in a tmpfs on `changes`; 0 for no
///   limit, and then the two directories are there already
/// @param mode of the upper directory, which is the root's
/// @param uid its owner, inside
public record RootMount(Overlay overlay, String changes, long limit, int mode, int uid, int gid) {
  public String upper() {
    return changes + "/upper";
  }

  public String work() {
    return changes + "/work";
  }
}
