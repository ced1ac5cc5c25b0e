package io.jrun.runtime.shim;

import io.jrun.kernel.call.MountCall;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/// The lower layers of an overlay, by a directory that all of them are in.
///
/// @param names relative to the directory, the topmost first
/// @param others the overlay's other options
record OverlayLayers(String directory, List<String> names, List<String> others) {
  private static final String LOWERDIR = "lowerdir=";

  /// @param options of overlayfs; one of them is `lowerdir=`
  static OverlayLayers of(List<String> options) {
    List<String> others = new ArrayList<>(options);
    others.removeIf(option -> option.startsWith(LOWERDIR));
    List<String> layers =
        options.stream()
            .filter(option -> option.startsWith(LOWERDIR))
            .flatMap(option -> Arrays.stream(option.substring(LOWERDIR.length()).split(":")))
            .toList();
    String directory = directory(layers);
    return new OverlayLayers(
        directory, layers.stream().map(l -> l.substring(directory.length() + 1)).toList(), others);
  }

  /// The deepest directory that has them all below it.
  private static String directory(List<String> layers) {
    if (layers.isEmpty()) throw RpcException.unknown("overlay without lowerdir");
    String prefix = layers.getFirst();
    for (String layer : layers) {
      int same = 0;
      int most = Math.min(prefix.length(), layer.length());
      while (same < most && prefix.charAt(same) == layer.charAt(same)) same++;
      prefix = prefix.substring(0, same);
    }
    int end = prefix.lastIndexOf('/');
    if (end <= 0)
      throw RpcException.unknown(
          "overlay: the lower layers " + String.join(":", layers) + " have no directory in common");
    return prefix.substring(0, end);
  }

  /// The options of an overlay that is mounted from the directory.
  List<String> fromThere() {
    List<String> options = new ArrayList<>(others);
    options.add(names.stream().collect(Collectors.joining(":", LOWERDIR, "")));
    String text = String.join(",", options);
    if (!MountCall.Mount.takes(text))
      throw RpcException.unknown(
          "overlay: %d bytes of options for %d layers are more than mount(2) takes"
              .formatted(text.length(), names.size()));
    return options;
  }
}
