package io.jrun.runtime.cli;

import io.jrun.image.commands.RootfsTools;
import io.jrun.rootfs.pack.Packer;
import io.jrun.rootfs.unpack.IdMap;
import io.jrun.rootfs.unpack.Limits;
import io.jrun.rootfs.unpack.Report;
import io.jrun.rootfs.unpack.Rights;
import io.jrun.rootfs.unpack.UnpackOptions;
import io.jrun.rootfs.unpack.Whiteouts;
import java.util.List;
import java.util.OptionalLong;

/// `jrun rootfs …`: archives and images to directories and back.
final class RootfsCommands {
  private RootfsCommands() {}

  static int perform(Request request) {
    String name = request.id();
    List<String> args = request.rest();
    return switch (name) {
      case "unpack" -> unpack(request, args);
      case "pack" -> pack(request, args);
      case "diff" -> difference(request, args);
      default -> throw CommandFailure.usage("unknown command \"rootfs " + name + "\"");
    };
  }

  private static int unpack(Request request, List<String> args) {
    Options options =
        new Options("jrun rootfs unpack", "unpack an archive or an image to a directory")
            .texts("container:host:count", "map user ids", "--uid-map")
            .texts("container:host:count", "map group ids", "--gid-map")
            .flag("as an ordinary user: record owners, skip device nodes", "--rootless")
            .text("name", "which image of several", "--name")
            .text("os/arch[/variant]", "the platform; by default this machine's", "--platform")
            .text("N", "the most entries", "--max-entries")
            .text("bytes", "the most bytes of a decompressed stream", "--max-size")
            .text("N", "the most a stream may expand, as a multiple of its size", "--max-ratio");
    Nested nested = Nested.parse(options, "SOURCE DIR", args, 2, 2, request);
    if (nested.isHelp()) return 0;
    ParsedLine line = nested.line();
    RootfsTools tools = request.operations().rootfsTools();
    Report report =
        tools.unpack(
            nested.argument(0),
            nested.argument(1),
            line.text("--name", ""),
            ImageCommands.platform(line),
            unpackOptions(request, nested));
    tellSkipped(request, report);
    return 0;
  }

  private static Options packOptions(String name, String summary) {
    return new Options("jrun rootfs " + name, summary)
        .text("seconds", "the latest time of a file; by default SOURCE_DATE_EPOCH", "--latest");
  }

  private static OptionalLong latest(Request request, ParsedLine line) {
    String text =
        line.text(
            "--latest",
            request.operations().rootfsTools().variable("SOURCE_DATE_EPOCH").orElse(""));
    if (text.isEmpty()) return OptionalLong.empty();
    try {
      return OptionalLong.of(Long.parseLong(text));
    } catch (NumberFormatException e) {
      throw CommandFailure.usage("not a time in seconds: " + text);
    }
  }

  private static int pack(Request request, List<String> args) {
    Options options =
        packOptions("pack", "write a directory as a reproducible archive; - is standard output")
            .flag("as an image with one layer: an OCI layout's archive", "--oci")
            .text("name", "the image's name", "--name")
            .text("none|gzip|zstd", "of the image's layer; by default gzip", "--compress")
            .flag("the directory is the upper one of an overlayfs", "--overlay");
    Nested nested = Nested.parse(options, "DIR FILE", args, 2, 2, request);
    if (nested.isHelp()) return 0;
    ParsedLine line = nested.line();
    Packer.Options how = new Packer.Options(latest(request, line), line.has("--overlay"));
    RootfsTools tools = request.operations().rootfsTools();
    if (line.has("--oci")) {
      tools.packImage(
          nested.argument(0),
          nested.argument(1),
          line.text("--name", ""),
          line.text("--compress", "gzip"),
          how);
      return 0;
    }
    tellSockets(request, tools.pack(nested.argument(0), nested.argument(1), how));
    return 0;
  }

  private static int difference(Request request, List<String> args) {
    Options options = packOptions("diff", "write what of UPPER is not as in LOWER as a layer");
    Nested nested = Nested.parse(options, "LOWER UPPER FILE", args, 3, 3, request);
    if (nested.isHelp()) return 0;
    Packer.Options how = new Packer.Options(latest(request, nested.line()), false);
    tellSockets(
        request,
        request
            .operations()
            .rootfsTools()
            .difference(nested.argument(0), nested.argument(1), nested.argument(2), how));
    return 0;
  }

  private static void tellSockets(Request request, long skipped) {
    if (skipped > 0) request.caller().err("skipped " + skipped + " sockets\n");
  }

  /// What the options of a command that unpacks say, as far as the command has them.
  static UnpackOptions unpackOptions(Request request, Nested nested) {
    Limits standard = Limits.DEFAULT;
    ParsedLine line = nested.line();
    return new UnpackOptions(
        Whiteouts.LITERAL,
        !line.has("--rootless") && request.operations().rootfsTools().isPrivileged()
            ? Rights.ALL
            : Rights.OWN,
        IdMap.parse(line.texts("--uid-map")),
        IdMap.parse(line.texts("--gid-map")),
        new Limits(
            nested.positive("--max-entries", standard.entries()),
            standard.directories(),
            nested.positive("--max-size", standard.bytes()),
            nested.positive("--max-ratio", standard.ratio())));
  }

  static void tellSkipped(Request request, Report report) {
    if (report.skippedDevices() > 0) {
      request.caller().err("skipped " + report.skippedDevices() + " device nodes\n");
    }
    if (report.refusedAttributes() > 0) {
      request
          .caller()
          .err("the kernel refused " + report.refusedAttributes() + " extended attributes\n");
    }
  }
}
