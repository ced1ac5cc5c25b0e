package io.jrun.runtime.cli;

import io.jrun.rootfs.unpack.Report;
import java.nio.file.Path;
import java.util.List;

/// `jrun bundle …`: bundles from images.
final class BundleCommands {
  private BundleCommands() {}

  static int perform(Request request) {
    if (request.id().equals("release")) return release(request);
    if (!request.id().equals("create")) {
      throw CommandFailure.usage("unknown command \"bundle " + request.id() + "\"");
    }
    Options options =
        ContainerOptions.options(
                new Options("jrun bundle create", "write a bundle from a stored image"))
            .texts("container:host:count", "map user ids", "--uid-map")
            .texts("container:host:count", "map group ids", "--gid-map")
            .flag("as an ordinary user: record owners, skip device nodes", "--rootless");
    Nested nested =
        Nested.parse(
            options, "--image IMAGE DIR [ARGS...]", request.rest(), 1, Integer.MAX_VALUE, request);
    if (nested.isHelp()) return 0;
    ParsedLine line = nested.line();
    String image = line.text("--image", "");
    if (image.isEmpty()) throw CommandFailure.usage("bundle create: --image is needed");
    List<String> words = line.arguments();
    Report report =
        request
            .operations()
            .bundleCreation(line.text("--store", ""))
            .create(
                image,
                ImageCommands.platform(line),
                words.getFirst(),
                ContainerOptions.overrides(
                    line, words.subList(1, words.size()), request.operations()),
                ContainerOptions.adjustments(line, request.operations(), BundleCommands::noVolume),
                line.has("--tty"),
                RootfsCommands.unpackOptions(request, nested));
    RootfsCommands.tellSkipped(request, report);
    return 0;
  }

  /// Nobody knows how long such a bundle is used.
  private static Path noVolume(String name) {
    throw CommandFailure.usage(
        "--volume: named volumes are for run --image; a directory is /" + name + " or ./" + name);
  }

  /// What the hook of a container that runs an image calls when the container is deleted.
  private static int release(Request request) {
    Options options =
        new Options("jrun bundle release", "unmount and remove the bundle of run --image")
            .text("dir", "the store of images", "--store");
    Nested nested = Nested.parse(options, "ID", request.rest(), 1, 1, request);
    if (nested.isHelp()) return 0;
    request
        .operations()
        .containerBundles(ImageCommands.images(request, nested))
        .release(nested.argument(0));
    return 0;
  }
}
