package io.jrun.runtime.cli;

import io.jrun.image.bundle.Overrides;
import io.jrun.rootfs.unpack.Report;
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
        new Options("jrun bundle create", "write a bundle from a stored image")
            .text("dir", "the store; by default /var/lib/jrun or ~/.local/share/jrun", "--store")
            .text("image", "the image, by name or digest", "--image")
            .text("os/arch[/variant]", "the platform; by default this machine's", "--platform")
            .texts("NAME=value", "set an environment variable", "--env", "-e")
            .text("user[:group]", "in place of the image's user", "--user", "-u")
            .text("dir", "in place of the image's working directory", "--workdir", "-w")
            .text("path", "in place of the image's entrypoint", "--entrypoint")
            .flag("the process gets a terminal", "--tty", "-t")
            .flag("the root file system is read-only", "--read-only")
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
    String entrypoint = line.text("--entrypoint", "");
    Report report =
        request
            .operations()
            .bundleCreation(line.text("--store", ""))
            .create(
                image,
                ImageCommands.platform(line),
                words.getFirst(),
                new Overrides(
                    words.subList(1, words.size()),
                    entrypoint.isEmpty() ? null : List.of(entrypoint),
                    line.texts("--env"),
                    line.text("--user"),
                    line.text("--workdir"),
                    line.has("--read-only")),
                line.has("--tty"),
                RootfsCommands.unpackOptions(request, nested));
    RootfsCommands.tellSkipped(request, report);
    return 0;
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
