package io.jrun.runtime.cli;

import io.jrun.image.PlatformChoice;
import io.jrun.image.Resolved;
import io.jrun.image.commands.Images;
import io.jrun.image.registry.RegistryOptions;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// `jrun image …`: the store of images.
final class ImageCommands {
  /// As docker's daemon calls it.
  private static final String NON_DISTRIBUTABLE = "--allow-nondistributable-artifacts";

  private ImageCommands() {}

  static int perform(Request request) {
    String name = request.id();
    List<String> args = request.rest();
    return switch (name) {
      case "load" -> load(request, args);
      case "list", "ls" -> list(request, args);
      case "inspect" -> inspect(request, args);
      case "tag" -> tag(request, args);
      case "rm" -> remove(request, args);
      case "prune" -> prune(request, args);
      case "verify" -> verify(request, args);
      case "save" -> save(request, args);
      case "pull" -> pull(request, args);
      case "push" -> push(request, args);
      default -> throw CommandFailure.usage("unknown command \"image " + name + "\"");
    };
  }

  static Options options(String name, String summary) {
    return new Options("jrun image " + name, summary)
        .text("dir", "the store; by default /var/lib/jrun or ~/.local/share/jrun", "--store");
  }

  static Images images(Request request, Nested nested) {
    return request.operations().images(nested.line().text("--store", ""));
  }

  static PlatformChoice platform(ParsedLine line) {
    String platform = line.text("--platform", "");
    return platform.isEmpty() ? PlatformChoice.host() : PlatformChoice.parse(platform);
  }

  private static int load(Request request, List<String> args) {
    Options options =
        options("load", "add the images of a layout or an archive; - is standard input")
            .text("name", "what to call the image", "--name", "-n");
    Nested nested = Nested.parse(options, "SOURCE", args, 1, 1, request);
    if (nested.isHelp()) return 0;
    List<String> loaded =
        images(request, nested)
            .load(
                nested.argument(0),
                nested.line().text("--name", ""),
                RootfsCommands.unpackOptions(request, nested));
    loaded.forEach(name -> request.print(name));
    return 0;
  }

  private static int list(Request request, List<String> args) {
    Options options =
        options("list", "list the images")
            .flag("show only digests", "--quiet", "-q")
            .text("table|json", "the format", "--format", "-f");
    Nested nested = Nested.parse(options, "", args, 0, 0, request);
    if (nested.isHelp()) return 0;
    List<ContentDescriptor> all = images(request, nested).list();
    String format = nested.line().text("--format", "table");
    if (nested.line().has("--quiet")) {
      all.stream().map(image -> image.digest().text()).distinct().forEach(request::print);
    } else if (format.equals("json")) {
      request.print(
          new Json.JsonArray(all.stream().<Json>map(ImageCommands::summary).toList()).toText());
    } else if (format.equals("table")) {
      int width = Math.max(4, all.stream().mapToInt(i -> name(i).length()).max().orElse(0));
      StringBuilder table = new StringBuilder(row(width, "NAME", "DIGEST"));
      for (ContentDescriptor image : all) {
        table.append(row(width, name(image), image.digest().hex().substring(0, 12)));
      }
      request.caller().out(table.toString());
    } else {
      throw CommandFailure.usage("invalid format option");
    }
    return 0;
  }

  private static String name(ContentDescriptor image) {
    String name = Images.nameOf(image);
    return name.isEmpty() ? "<none>" : name;
  }

  private static String row(int width, String name, String digest) {
    return name + " ".repeat(width - name.length()) + "  " + digest + "\n";
  }

  private static JsonObject summary(ContentDescriptor image) {
    return JsonObject.EMPTY
        .with("name", Json.of(Images.nameOf(image)))
        .with("digest", Json.of(image.digest().text()))
        .with("mediaType", Json.of(image.mediaType()));
  }

  private static int inspect(Request request, List<String> args) {
    Options options =
        options("inspect", "show an image's documents")
            .text("os/arch[/variant]", "the platform; by default this machine's", "--platform");
    Nested nested = Nested.parse(options, "IMAGE", args, 1, 1, request);
    if (nested.isHelp()) return 0;
    Resolved image = images(request, nested).resolve(nested.argument(0), platform(nested.line()));
    ImageConfig config = image.config();
    long size = image.manifest().layers().stream().mapToLong(ContentDescriptor::size).sum();
    request.print(
        JsonObject.EMPTY
            .with("digest", Json.of(image.descriptor().digest().text()))
            .with("platform", Json.of(config.os() + "/" + config.architecture()))
            .with("size", Json.of(size))
            .with("manifest", image.manifest().toJson())
            .with("config", config.toJson())
            .toText("\t"));
    return 0;
  }

  private static int tag(Request request, List<String> args) {
    Nested nested =
        Nested.parse(
            options("tag", "give an image one more name"), "IMAGE NAME", args, 2, 2, request);
    if (nested.isHelp()) return 0;
    images(request, nested).tag(nested.argument(0), nested.argument(1));
    return 0;
  }

  private static int remove(Request request, List<String> args) {
    Nested nested =
        Nested.parse(
            options("rm", "take names away, and what nobody needs then"),
            "IMAGE...",
            args,
            1,
            1000,
            request);
    if (nested.isHelp()) return 0;
    for (String name : nested.line().arguments()) images(request, nested).remove(name);
    return 0;
  }

  private static int prune(Request request, List<String> args) {
    Nested nested =
        Nested.parse(options("prune", "remove what nobody needs"), "", args, 0, 0, request);
    if (nested.isHelp()) return 0;
    Images images = images(request, nested);
    Operations operations = request.operations();
    String callers = operations.stateRoot(request.global());
    int bundles =
        operations
            .containerBundles(images)
            .collect((owner, id) ->
                operations.hasContainer(callers, id)
                    || !owner.isEmpty() && operations.hasContainer(owner, id));
    request.print("removed " + images.prune() + ", released " + bundles + " bundles");
    return 0;
  }

  private static int verify(Request request, List<String> args) {
    Nested nested =
        Nested.parse(
            options("verify", "compare all content with its digests"),
            "[IMAGE]",
            args,
            0,
            1,
            request);
    if (nested.isHelp()) return 0;
    List<String> names = new ArrayList<>(nested.line().arguments());
    int blobs = images(request, nested).verify(names.isEmpty() ? "" : names.getFirst());
    request.print(blobs + " blobs are as they should be");
    return 0;
  }

  private static int save(Request request, List<String> args) {
    Nested nested =
        Nested.parse(
            options("save", "write an image as an OCI layout's archive; - is standard output"),
            "IMAGE FILE",
            args,
            2,
            2,
            request);
    if (nested.isHelp()) return 0;
    images(request, nested).save(nested.argument(0), nested.argument(1));
    return 0;
  }

  private static Options registryOptions(String name, String summary) {
    return options(name, summary)
        .flag("speak http, not https", "--plain-http")
        .text("file", "certificates in PEM to trust in place of the machine's", "--ca")
        .text("N", "how many transfers at once", "--parallel")
        .flag("print only failures", "--quiet", "-q");
  }

  private static RegistryOptions registryOptions(Images images, Nested nested) {
    ParsedLine line = nested.line();
    String authority = line.text("--ca", "");
    return new RegistryOptions(
        line.has("--plain-http"),
        authority.isEmpty() ? Optional.empty() : Optional.of(images.file(authority)),
        line.texts("--mirror"),
        (int) Math.min(16, nested.positive("--parallel", 3)),
        line.has(NON_DISTRIBUTABLE));
  }

  /// What standard error shows of transfers.
  private static TransferDisplay progress(Request request, Nested nested) {
    boolean quiet = nested.line().has("--quiet");
    int columns = quiet ? 0 : request.operations().rootfsTools().columns();
    return new TransferDisplay(quiet ? text -> {} : request.caller()::err, columns);
  }

  private static int pull(Request request, List<String> args) {
    Options options =
        registryOptions("pull", "fetch an image from a registry")
            .text("os/arch[/variant]", "the platform; by default this machine's", "--platform")
            .texts("host", "a host to ask first", "--mirror");
    Nested nested = Nested.parse(options, "HOST/PATH[:TAG|@DIGEST]", args, 1, 1, request);
    if (nested.isHelp()) return 0;
    Images images = images(request, nested);
    ContentDescriptor image =
        images.pull(
            nested.argument(0),
            platform(nested.line()),
            registryOptions(images, nested),
            progress(request, nested));
    request.print(image.digest().text());
    return 0;
  }

  private static int push(Request request, List<String> args) {
    Options options =
        registryOptions("push", "send an image to a registry")
            .flag("send layers that are not distributable too", NON_DISTRIBUTABLE);
    Nested nested = Nested.parse(options, "IMAGE [HOST/PATH[:TAG]]", args, 1, 2, request);
    if (nested.isHelp()) return 0;
    Images images = images(request, nested);
    images.push(
        nested.argument(0),
        nested.line().arguments().size() > 1 ? nested.argument(1) : "",
        registryOptions(images, nested),
        progress(request, nested));
    return 0;
  }
}
