package io.jrun.image;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import java.nio.file.Path;
import java.util.List;

/// A directory of links with short names to layers, for those whose paths are more than mount(2)
/// takes of options. It is made with the first link, and what is linked serves every stack that has
/// the same layers below.
public final class LayerLinks implements AutoCloseable {
  private final Kernel kernel;
  private final Path directory;
  private boolean isMade;
  private int linked;

  /// @param directory to make where links are needed
  public LayerLinks(Kernel kernel, Path directory) {
    this.kernel = kernel;
    this.directory = directory;
  }

  Path directory() {
    return directory;
  }

  /// Links what is not linked yet. A layer's number is its link's name.
  ///
  /// @param layers the lowest first; as before, and perhaps more on top
  void reach(List<Path> layers) {
    if (!isMade) kernel.call(new FileCall.Mkdirat(Descriptor.CWD, directory.toString(), 0700));
    isMade = true;
    for (; linked < layers.size(); linked++) {
      String target = layers.get(linked).toString();
      kernel.call(new FileCall.Symlinkat(target, Descriptor.CWD, directory + "/" + linked));
    }
  }

  /// Takes the links away, which nobody needs once the layers are mounted.
  @Override
  public void close() {
    if (!isMade) return;
    for (; linked > 0; linked--) {
      kernel.call(new FileCall.Unlinkat(Descriptor.CWD, directory + "/" + (linked - 1), 0));
    }
    kernel.call(new FileCall.Unlinkat(Descriptor.CWD, directory.toString(), FileCall.AT_REMOVEDIR));
  }
}
