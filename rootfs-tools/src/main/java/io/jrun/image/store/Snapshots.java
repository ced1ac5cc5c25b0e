package io.jrun.image.store;

import io.jrun.image.Documents;
import io.jrun.specs.image.Digest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Layers unpacked once, each for itself in the form that overlayfs stacks, under the name of the
/// chain of layers that it ends (config.md, chainID).
final class Snapshots {
  /// Of the digest: many of them must fit the page of a mount's options.
  private static final int DIGITS = 32;

  private Snapshots() {}

  /// The names of layers as a writer makes them, of the lowest layer first: unlike ids make unlike
  /// trees.
  static List<String> chains(List<Digest> diffIds, StoreWriter writer) {
    return chains(diffIds).stream().map(name -> name + writer.suffix()).toList();
  }

  /// The name of all layers in one tree, which needs no overlayfs.
  static String flat(List<Digest> diffIds, StoreWriter writer) {
    return chains(diffIds).getLast() + writer.suffix() + ".flat";
  }

  /// The chain's digits in the name of a snapshot of any kind.
  static String chain(String name) {
    return name.substring(0, Math.min(name.length(), DIGITS));
  }

  /// The digits of the chains, of the lowest layer first.
  static List<String> chains(List<Digest> diffIds) {
    List<String> names = new ArrayList<>();
    String chain = "";
    for (Digest diffId : diffIds) {
      chain =
          chain.isEmpty()
              ? diffId.text()
              : Documents.digest((chain + " " + diffId.text()).getBytes(StandardCharsets.UTF_8))
                  .text();
      names.add(chain.substring(chain.indexOf(':') + 1).substring(0, DIGITS));
    }
    return names;
  }
}
