package io.jrun.image;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.ProcessCall;

/// An overlayfs over an image's layers, to be mounted. The paths of many layers are more than
/// mount(2) takes of options: then each layer has a link with a short name, and the file system is
/// mounted from the directory of these.
///
/// @param options of the file system
/// @param links that directory; empty where the options have the layers' paths
public record Overlay(String options, String links) {
  /// How many lower layers the kernel stacks (OVL_MAX_STACK).
  public static final int MOST_LAYERS = 500;

  /// @param others what follows the layers in the options, with a comma before it
  /// @param links used where the paths are too long
  public static Overlay of(SnapshotChain chain, String others, LayerLinks links) {
    String options = chain.lowerOption() + others;
    if (MountCall.Mount.takes(options)) return new Overlay(options, "");
    String linked = lowerOption(chain.layers().size()) + others;
    if (!MountCall.Mount.takes(linked)) {
      throw new ImageException(
          "the paths of the store are too long for a mount: " + links.directory());
    }
    links.reach(chain.layers());
    return new Overlay(linked, links.directory().toString());
  }

  private static String lowerOption(int layers) {
    StringBuilder lower = new StringBuilder("lowerdir=");
    for (int i = layers - 1; i >= 0; i--) lower.append(i).append(i == 0 ? "" : ":");
    return lower.toString();
  }

  /// @param at an absolute path
  public void addMount(Batch batch, String at, long mountFlags) {
    MountCall.Mount mount = new MountCall.Mount("jrun", at, "overlay", mountFlags, options);
    if (links.isEmpty()) {
      batch.add(mount);
      return;
    }
    int flags = FileCall.O_PATH | FileCall.O_DIRECTORY;
    Descriptor here = batch.add(FileCall.Openat.existing(".", flags)).descriptor();
    batch.add(new ProcessCall.Chdir(links));
    batch.add(mount);
    batch.add(new ProcessCall.Fchdir(here));
    batch.add(new FileCall.Close(here));
  }
}
