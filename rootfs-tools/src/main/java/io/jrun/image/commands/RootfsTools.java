package io.jrun.image.commands;

import io.jrun.image.ImageException;
import io.jrun.image.Layers;
import io.jrun.image.PlatformChoice;
import io.jrun.image.Resolved;
import io.jrun.image.layout.ImagePacking;
import io.jrun.image.source.ImageSource;
import io.jrun.image.source.Source;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.pack.Packer;
import io.jrun.rootfs.pack.Packing;
import io.jrun.rootfs.unpack.Report;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.Unpacking;
import io.jrun.rootfs.unpack.Whiteouts;
import io.jrun.specs.image.ContentDescriptor;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// What `jrun rootfs` does for one caller.
public final class RootfsTools {
  private final CallerFiles caller;

  public RootfsTools(CallerFiles caller) {
    this.caller = caller;
  }

  /// Whether the caller may set owners and make devices.
  public boolean isPrivileged() {
    return caller.isPrivileged();
  }

  /// A variable of the caller's environment.
  public Optional<String> variable(String name) {
    return caller.variable(name);
  }

  /// How many columns the terminal has that is the caller's standard error; 0 where it is none.
  public int columns() {
    return caller.columns();
  }

  /// A path of the caller from `/` on.
  public String absolute(String path) {
    return caller.absolute(path);
  }

  /// Unpacks a source, `-` being standard input, to a directory that is missing or empty.
  ///
  /// @param name which of several images; empty for the only one
  public Report unpack(
      String source,
      String directory,
      String name,
      PlatformChoice platform,
      UnpackOptions options) {
    try (Source opened = Source.open(caller, source, Unpacking.expansion(options))) {
      return switch (opened) {
        case Source.Tree tree -> {
          if (!name.isEmpty()) throw new ImageException(source + ": an archive, not an image");
          yield Unpacking.archive(caller, tree.archive(), directory, options);
        }
        case Source.Images images -> image(images.images(), directory, name, platform, options);
      };
    }
  }

  private Report image(
      ImageSource source,
      String directory,
      String name,
      PlatformChoice platform,
      UnpackOptions given) {
    UnpackOptions options = given.with(Whiteouts.APPLY);
    Resolved image = Resolved.of(choose(source.images(), name), platform, source::document);
    return Unpacking.into(
        caller,
        directory,
        options,
        (writer, unpacker) -> Layers.unpack(writer, unpacker, image, source::content, options));
  }

  /// Packs a tree; returns how many sockets were left out.
  public long pack(String directory, String to, Packer.Options options) {
    return Packing.tree(caller, directory, to, options);
  }

  /// Packs a tree as an image with one layer: the archive of an OCI layout.
  ///
  /// @param name the image's; empty for none
  /// @param compression of the layer: `none`, `gzip` or `zstd`
  public void packImage(
      String directory, String to, String name, String compression, Packer.Options options) {
    Compression chosen =
        switch (compression) {
          case "none" -> Compression.NONE;
          case "gzip" -> Compression.GZIP;
          case "zstd" -> Compression.ZSTD;
          default -> throw new ImageException("no compression (none, gzip, zstd): " + compression);
        };
    ImagePacking.pack(caller, directory, to, name, chosen, options);
  }

  /// Packs what of `upper` is not as in `lower`, as a layer.
  public long difference(String lower, String upper, String to, Packer.Options options) {
    return Packing.difference(caller, lower, upper, to, options);
  }

  /// The image of that name; without a name, the only image.
  static ContentDescriptor choose(List<ImageSource.Named> images, String name) {
    List<ContentDescriptor> found =
        images.stream()
            .filter(image -> name.isEmpty() || image.name().orElse("").equals(name))
            .map(ImageSource.Named::image)
            .distinct()
            .toList();
    if (found.size() == 1) return found.getFirst();
    String names =
        images.stream().map(i -> i.name().orElse("(no name)")).collect(Collectors.joining(", "));
    throw new ImageException(
        (found.isEmpty() ? "no image of that name, " : "several images, say which: ")
            + (names.isEmpty() ? "there is none" : names));
  }
}
