package io.jrun.runtime.cli;

import io.jrun.image.Resolved;
import io.jrun.image.bundle.Adjustments;
import io.jrun.image.bundle.ConfigRequest;
import io.jrun.image.bundle.Overrides;
import io.jrun.image.commands.BundleClaim;
import io.jrun.image.commands.ContainerBundles;
import io.jrun.image.commands.ContainerRoot;
import io.jrun.image.commands.Images;
import io.jrun.image.commands.Snapshotter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;

/// `jrun run --image IMAGE ID [ARGS…]`: a bundle of the image, which goes with the container.
final class ImageRun {
  private static final String NAME = "jrun run --image";
  private static final String ARGUMENTS = "--image IMAGE ID [ARGS...]";
  private static final Grammar GRAMMAR = new Grammar(ImageRun::spec, true);

  private ImageRun() {}

  /// Whether a command line of `run` is one with an image: the options end at the first argument.
  static boolean isAsked(List<String> args) {
    for (String arg : args) {
      if (arg.equals("--image") || arg.startsWith("--image=")) return true;
      if (arg.equals("--")) return false;
    }
    return false;
  }

  static void options(Options options) {
    ContainerOptions.options(options)
        .text("id", "the container's id, in place of the first argument", "--name")
        .flag("keep standard input open, as always", "--interactive", "-i")
        .texts("name[,name]", "attach the container to a CNI network", "--network")
        .texts("[ip:]port:port[,...]", "publish a port, through portmap", "--publish", "-p")
        .text("name", "join the namespaces of a sandbox", "--sandbox")
        .text("auto|overlayfs|copy", "how the root is made of the image", "--snapshotter")
        .texts("size=bytes", "the most that the container may change, in memory", "--storage-opt")
        .flag("delete the container when it ends, as always without --keep", "--rm");
    Metadata.options(options);
  }

  private static CommandSpec spec() {
    Options options = new Options(NAME, "create and run a container of an image");
    options(options);
    options
        .text("path", "a socket that receives the console's master", "--console-socket")
        .text("path", "a file to write the process id to", "--pid-file")
        .text("N", "pass N descriptors more than stdio and $LISTEN_FDS", "--preserve-fds")
        .flag("detach from the container's process", "--detach", "-d")
        .flag("do not delete the container after it exits", "--keep")
        .flag("do not reap reparented processes", "--no-subreaper");
    return options.withArguments(ARGUMENTS);
  }

  static int perform(
      List<String> args, GlobalOptions global, Operations operations, Caller caller) {
    Request request =
        new Request(
            global, new ParsedLine(java.util.Map.of(), List.of(), false), operations, caller);
    Nested nested = Nested.parse(GRAMMAR, NAME, ARGUMENTS, args, 0, Integer.MAX_VALUE, request);
    if (nested.isHelp()) return 0;
    List<String> words = words(nested);
    if (words.isEmpty()) {
      throw CommandFailure.usage(NAME + ": wrong number of arguments, needs " + ARGUMENTS);
    }
    try {
      return run(nested, words, global, operations, request);
    } catch (CommandFailure e) {
      throw e;
    } catch (RuntimeException e) {
      String message = e.getMessage() == null ? e.toString() : e.getMessage();
      throw new CommandFailure(1, "jrun run failed: " + message, e);
    }
  }

  /// The id, and what to run.
  private static List<String> words(Nested nested) {
    List<String> words = new ArrayList<>(nested.line().arguments());
    String name = nested.line().text("--name");
    if (name != null) words.addFirst(name);
    return words;
  }

  private static int run(
      Nested nested,
      List<String> words,
      GlobalOptions global,
      Operations operations,
      Request request) {
    ParsedLine line = nested.line();
    String store = line.text("--store", "");
    String id = words.getFirst();
    Images images = operations.images(store);
    Resolved image = images.resolve(line.text("--image", ""), ImageCommands.platform(line));
    ContainerBundles bundles = operations.containerBundles(images);
    String root = operations.stateRoot(global);
    try (BundleClaim claim = bundles.claim(id, root)) {
      if (!claim.isLeft())
        return run(nested, words, global, operations, request, bundles, claim, image);
      if (isContainer(id, global, operations)) {
        throw CommandFailure.usage("container with given ID already exists");
      }
      bundles.release(id); // a crash left it
    }
    try (BundleClaim claim = bundles.claim(id, root)) {
      if (claim.isLeft()) throw CommandFailure.usage("container with given ID already exists");
      return run(nested, words, global, operations, request, bundles, claim, image);
    }
  }

  private static int run(
      Nested nested,
      List<String> words,
      GlobalOptions global,
      Operations operations,
      Request request,
      ContainerBundles bundles,
      BundleClaim claim,
      Resolved image) {
    ParsedLine line = nested.line();
    String id = words.getFirst();
    Metadata metadata = Metadata.of(line);
    ContainerBundles.Made made;
    try {
      ContainerRoot wanted = containerRoot(line);
      Images images = operations.images(line.text("--store", ""));
      Adjustments adjustments =
          ContainerOptions.adjustments(line, operations, images.volumes()::directory);
      Overrides overrides =
          ContainerOptions.overrides(line, words.subList(1, words.size()), operations);
      made =
          bundles.create(
              claim,
              image,
              wanted,
              ContainerOptions.namedVolumes(line),
              () -> RootfsCommands.unpackOptions(request, nested),
              new ConfigRequest(
                  operations.baseConfig(),
                  image.config(),
                  overrides,
                  adjustments,
                  line.has("--tty")));
      new Log(global, request.caller())
          .step("made the root of ", made.root() == null ? "a copy" : "an overlayfs");
    } catch (RuntimeException e) {
      release(bundles, id, e);
      throw e;
    }
    RunOptions options =
        new RunOptions(
            new CreateOptions(
                    global,
                    id,
                    made.directory().toString(),
                    line.text("--console-socket"),
                    null,
                    line.text("--pid-file"),
                    false,
                    false,
                    line.count("--preserve-fds"))
                .with(
                    Additions.of(line, metadata, true),
                    new CreateOptions.ImageBundle(bundles.store(), made)),
            line.has("--detach"),
            line.has("--keep"),
            line.has("--no-subreaper"));
    try {
      return operations.run(options);
    } catch (RuntimeException e) {
      if (!isContainer(id, global, operations)) release(bundles, id, e);
      throw e;
    }
  }

  private static void release(ContainerBundles bundles, String id, RuntimeException cause) {
    try {
      bundles.release(id);
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private static boolean isContainer(String id, GlobalOptions global, Operations operations) {
    return operations.list(global, true).stream().anyMatch(container -> container.id().equals(id));
  }

  private static ContainerRoot containerRoot(ParsedLine line) {
    long limit = 0;
    for (String option : line.texts("--storage-opt")) {
      if (!option.startsWith("size=")) {
        throw CommandFailure.usage("--storage-opt: only size= is known: " + option);
      }
      limit = Adjustments.bytes(option.substring("size=".length()));
    }
    return new ContainerRoot(Snapshotter.parse(line.text("--snapshotter", "auto")), limit);
  }
}
