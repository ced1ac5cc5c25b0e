package io.jrun.runtime.cli;

import io.jrun.image.Resolved;
import io.jrun.image.bundle.Adjustments;
import io.jrun.image.bundle.Conversion;
import io.jrun.image.bundle.MappedUser;
import io.jrun.image.bundle.Overrides;
import io.jrun.image.commands.BundleClaim;
import io.jrun.image.commands.ContainerBundles;
import io.jrun.image.commands.ContainerRoot;
import io.jrun.image.commands.Images;
import io.jrun.image.commands.Snapshotter;
import io.jrun.specs.runtime.Config;
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
    options
        .text("image", "the image to run, by name or digest", "--image")
        .text("dir", "the store of images", "--store")
        .text("os/arch[/variant]", "the platform; by default this machine's", "--platform")
        .texts("/source:/destination[:options]", "bind a directory of the host", "--volume", "-v")
        .texts("/destination[:options]", "mount a tmpfs", "--tmpfs")
        .texts("NAME=value", "set an environment variable", "--env", "-e")
        .text("user[:group]", "in place of the image's user", "--user", "-u")
        .text("dir", "in place of the image's working directory", "--workdir", "-w")
        .text("path", "in place of the image's entrypoint", "--entrypoint")
        .text("name", "the host's name in the container", "--hostname")
        .text("bytes", "the most memory, such as 512m", "--memory", "-m")
        .text("N", "how many processors, such as 1.5", "--cpus")
        .text("N", "the most processes", "--pids-limit")
        .texts("cap", "add a capability", "--cap-add")
        .texts("cap", "drop a capability", "--cap-drop")
        .commaTexts("name", "attach the container to a CNI network", "--network")
        .commaTexts("[ip:]port:port", "publish a port, through portmap", "--publish", "-p")
        .text("name", "join the namespaces of a sandbox", "--sandbox")
        .text("auto|overlayfs|copy", "how the root is made of the image", "--snapshotter")
        .texts("size=bytes", "the most that the container may change, in memory", "--storage-opt")
        .flag("the root file system is read-only", "--read-only")
        .flag("the process gets a terminal", "--tty", "-t")
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
    Nested nested = Nested.parse(GRAMMAR, NAME, ARGUMENTS, args, 1, Integer.MAX_VALUE, request);
    if (nested.isHelp()) return 0;
    try {
      return run(nested, global, operations, request);
    } catch (CommandFailure e) {
      throw e;
    } catch (RuntimeException e) {
      String message = e.getMessage() == null ? e.toString() : e.getMessage();
      throw new CommandFailure(1, "jrun run failed: " + message, e);
    }
  }

  private static int run(
      Nested nested, GlobalOptions global, Operations operations, Request request) {
    ParsedLine line = nested.line();
    String store = line.text("--store", "");
    String id = nested.argument(0);
    Images images = operations.images(store);
    Resolved image = images.resolve(line.text("--image", ""), ImageCommands.platform(line));
    ContainerBundles bundles = operations.containerBundles(images);
    String root = operations.stateRoot(global);
    try (BundleClaim claim = bundles.claim(id, root)) {
      if (!claim.isLeft()) return run(nested, global, operations, request, bundles, claim, image);
      if (isContainer(id, global, operations)) {
        throw CommandFailure.usage("container with given ID already exists");
      }
      bundles.release(id); // a crash left it
    }
    try (BundleClaim claim = bundles.claim(id, root)) {
      if (claim.isLeft()) throw CommandFailure.usage("container with given ID already exists");
      return run(nested, global, operations, request, bundles, claim, image);
    }
  }

  private static int run(
      Nested nested,
      GlobalOptions global,
      Operations operations,
      Request request,
      ContainerBundles bundles,
      BundleClaim claim,
      Resolved image) {
    ParsedLine line = nested.line();
    String id = nested.argument(0);
    Metadata metadata = Metadata.of(line);
    ContainerBundles.Made made;
    try {
      ContainerRoot wanted = containerRoot(line);
      Adjustments adjustments = adjustments(line, operations);
      Overrides overrides = overrides(line);
      Config base = operations.baseConfig();
      made =
          bundles.create(
              claim,
              image,
              wanted,
              () -> RootfsCommands.unpackOptions(request, nested),
              accounts ->
                  MappedUser.fit(
                      adjustments.apply(
                          Conversion.config(
                              base, image.config(), accounts, overrides, line.has("--tty")))));
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
    return operations.list(global).stream().anyMatch(container -> container.id().equals(id));
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

  private static Overrides overrides(ParsedLine line) {
    List<String> words = line.arguments();
    List<String> rest = new ArrayList<>(words.subList(1, words.size()));
    if (!rest.isEmpty() && rest.getFirst().equals("--")) rest.removeFirst();
    String entrypoint = line.text("--entrypoint", "");
    return new Overrides(
        rest,
        entrypoint.isEmpty() ? null : List.of(entrypoint),
        line.texts("--env"),
        line.text("--user"),
        line.text("--workdir"),
        line.has("--read-only"));
  }

  private static Adjustments adjustments(ParsedLine line, Operations operations) {
    List<String> volumes = new ArrayList<>();
    for (String volume : line.texts("--volume")) {
      volumes.add(volume.startsWith("/") ? volume : operations.rootfsTools().absolute(volume));
    }
    return new Adjustments(
        volumes,
        line.texts("--tmpfs"),
        line.text("--memory", ""),
        line.text("--cpus", ""),
        line.text("--pids-limit", ""),
        line.texts("--cap-add"),
        line.texts("--cap-drop"),
        line.text("--hostname", ""));
  }
}
