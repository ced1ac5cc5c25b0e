package io.jrun.runtime.cli;

import org.jspecify.annotations.Nullable;

/// `jrun checkpoint` and `jrun restore`.
final class CheckpointCommands {
  private CheckpointCommands() {}

  private static void criuOptions(Options options) {
    options
        .text("dir", "the directory of CRIU's images; by default checkpoint", "--image-path")
        .text("dir", "the directory of CRIU's logs", "--work-path")
        .flag("allow open TCP connections", "--tcp-established")
        .flag("allow unix sockets with a peer outside", "--ext-unix-sk")
        .flag("allow shell jobs", "--shell-job")
        .flag("handle file locks", "--file-locks")
        .flag("fetch memory pages when they are needed (userfaultfd)", "--lazy-pages")
        .flag("deduplicate images of memory", "--auto-dedup")
        .text("soft|full|strict|ignore", "what becomes of cgroups", "--manage-cgroups-mode")
        .texts("namespace", "make a namespace but leave its content out", "--empty-ns");
  }

  static void checkpointOptions(Options options) {
    criuOptions(options);
    options
        .text("dir", "images of an earlier pre-dump, relative to --image-path", "--parent-path")
        .flag("leave the container running", "--leave-running")
        .flag("leave out TCP connections that are being made", "--tcp-skip-in-flight")
        .flag("link unlinked files back where possible", "--link-remap")
        .text("fd", "a descriptor that is told when lazy pages are ready", "--status-fd")
        .text("address:port", "the page server", "--page-server")
        .flag("dump memory only, and leave the container running", "--pre-dump");
  }

  static void restoreOptions(Options options) {
    criuOptions(options);
    options
        .text("dir", "the bundle's directory; by default the current one", "--bundle", "-b")
        .text("path", "a socket that receives the console's master", "--console-socket")
        .text("path", "a file to write the process id to", "--pid-file")
        .flag("detach from the container's process", "--detach", "-d")
        .flag("do not reap reparented processes", "--no-subreaper")
        .flag("do not use pivot_root", "--no-pivot")
        .text("TYPE:NAME", "a security profile instead of the dumped one", "--lsm-profile")
        .text("context", "a security context of mounts", "--lsm-mount-context")
        .texts("name[,name]", "attach the container to a CNI network", "--network")
        .texts("[ip:]port:port[,...]", "publish a port, through portmap", "--publish");
  }

  static int checkpoint(Request request) {
    ParsedLine line = request.line();
    int statusFd = -1;
    if (line.has("--status-fd") && !line.text("--status-fd", "").equals("-1"))
      statusFd = line.count("--status-fd");
    request
        .operations()
        .checkpoint(
            new CheckpointOptions(
                request.global(),
                request.id(),
                criu(line),
                line.text("--parent-path"),
                line.has("--leave-running"),
                line.has("--tcp-skip-in-flight"),
                line.has("--link-remap"),
                statusFd,
                pageServer(line.text("--page-server")),
                line.has("--pre-dump")));
    return 0;
  }

  static int restore(Request request) {
    ParsedLine line = request.line();
    CreateOptions create =
        new CreateOptions(
            request.global(),
            request.id(),
            line.text("--bundle", ""),
            line.text("--console-socket"),
            null,
            line.text("--pid-file"),
            line.has("--no-pivot"),
            false,
            0,
            Additions.of(line, Metadata.NONE, false),
            null);
    return request
        .operations()
        .restore(
            new RestoreOptions(
                create,
                criu(line),
                line.has("--detach"),
                line.has("--no-subreaper"),
                line.text("--lsm-profile"),
                line.text("--lsm-mount-context")));
  }

  private static CriuOptions criu(ParsedLine line) {
    String mode = line.text("--manage-cgroups-mode", "");
    String problem = CriuOptions.problem(mode, line.texts("--empty-ns"));
    if (!problem.isEmpty()) throw new CommandFailure(1, problem);
    return new CriuOptions(
        "",
        line.text("--image-path", ""),
        line.text("--work-path"),
        line.has("--tcp-established"),
        line.has("--ext-unix-sk"),
        line.has("--shell-job"),
        line.has("--file-locks"),
        mode,
        line.texts("--empty-ns"),
        line.has("--auto-dedup"),
        line.has("--lazy-pages"));
  }

  private static @Nullable String pageServer(@Nullable String given) {
    if (given == null) return null;
    int colon = given.lastIndexOf(':');
    if (colon <= 0 || colon == given.length() - 1)
      throw new CommandFailure(1, "Use --page-server ADDRESS:PORT to specify page server");
    try {
      int port = Integer.parseInt(given.substring(colon + 1));
      if (port > 0 && port < 65536) return given;
    } catch (NumberFormatException e) {
      // reported below
    }
    throw new CommandFailure(1, "Invalid port number");
  }
}
