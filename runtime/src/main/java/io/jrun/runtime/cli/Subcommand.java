package io.jrun.runtime.cli;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.json.Json.JsonString;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// The commands; each one's options are built only when it is invoked.
enum Subcommand {
  BUNDLE(
      "write bundles from images",
      "create --image IMAGE DIR [ARGS...]",
      1,
      Integer.MAX_VALUE,
      options -> {},
      BundleCommands::perform),
  CHECKPOINT(
      "checkpoint a running container",
      "<container-id>",
      1,
      1,
      CheckpointCommands::checkpointOptions,
      CheckpointCommands::checkpoint),
  CNI(
      "run the CNI plugins of a network on a network namespace: cni COMMAND --help",
      "add|del|check|gc|status|version|list|node|policy [network [netns]]",
      1,
      16,
      CniCommands::options,
      CniCommands::perform),
  CREATE(
      "create a container",
      "<container-id>",
      1,
      1,
      ContainerCommands::createOptions,
      ContainerCommands::create),
  DELETE(
      "delete any resources held by the container",
      "<container-id>",
      1,
      1,
      options ->
          options
              .flag("kill the container if it is still running", "--force", "-f")
              .hiddenFlag("--unfinished"),
      ContainerCommands::delete),
  ENGINE(
      "show, stop or replace the resident engine",
      "status|stop|restart",
      1,
      1,
      options -> options.text("json|text", "the format of status", "--format", "-f"),
      Subcommand::engine),
  EVENTS(
      "display events such as OOM notifications, and statistics",
      "<container-id>",
      1,
      1,
      EventsCommand::options,
      EventsCommand::perform),
  EXEC(
      "execute a new process inside the container",
      "<container-id> <command> [args...]",
      1,
      Integer.MAX_VALUE,
      ContainerCommands::execOptions,
      ContainerCommands::exec),
  FEATURES(
      "show the enabled features",
      "",
      0,
      0,
      options -> {},
      request -> print(request, request.operations().features())),
  IMAGE(
      "keep images: load, pull, push, save, list, inspect, tag, rm, prune, verify",
      "load|pull|push|save|list|inspect|tag|rm|prune|verify [options] [arguments...]",
      1,
      Integer.MAX_VALUE,
      options -> {},
      ImageCommands::perform),
  KILL(
      "send a signal (default: SIGTERM) to the container's init process",
      "<container-id> [signal]",
      1,
      2,
      options -> options.hiddenFlag("--all", "-a"),
      ContainerCommands::kill),
  LIST(
      "list the containers under the given root",
      "",
      0,
      0,
      options ->
          options
              .text("table|json", "the format", "--format", "-f")
              .flag("show only ids", "--quiet", "-q"),
      ContainerCommands::list),
  PAUSE(
      "suspend all processes inside the container",
      "<container-id>",
      1,
      1,
      options -> {},
      ContainerCommands::pause),
  PLAN(
      "print the system calls that run would make, without making them",
      "[container-id]",
      0,
      1,
      options ->
          options
              .text("dir", "the bundle's directory", "--bundle", "-b")
              .texts("name[,name]", "attach the container to a CNI network", "--network")
              .texts("[ip:]port:port[,...]", "publish a port, through portmap", "--publish")
              .text("name", "join the namespaces of a sandbox", "--sandbox"),
      ContainerCommands::plan),
  PS(
      "show the processes running inside a container",
      "<container-id> [ps options]",
      1,
      Integer.MAX_VALUE,
      options -> options.text("table|json", "the format", "--format", "-f"),
      ContainerCommands::ps),
  RESTORE(
      "restore a container from a previous checkpoint",
      "<container-id>",
      1,
      1,
      CheckpointCommands::restoreOptions,
      CheckpointCommands::restore),
  RESUME(
      "resume all processes that have been paused",
      "<container-id>",
      1,
      1,
      options -> {},
      ContainerCommands::resume),
  ROOTFS(
      "unpack and pack root file systems: unpack, pack, diff",
      "unpack|pack|diff [options] [arguments...]",
      1,
      Integer.MAX_VALUE,
      options -> {},
      RootfsCommands::perform),
  RUN(
      "create and run a container of a bundle, or of an image: run --image IMAGE --help",
      "<container-id>",
      1,
      1,
      ContainerCommands::runOptions,
      ContainerCommands::run),
  SANDBOX(
      "make namespaces that containers share: run, stop, rm, list",
      "run|stop|rm|list [options] [NAME]",
      1,
      Integer.MAX_VALUE,
      options -> {},
      SandboxCommands::perform),
  SPEC(
      "create a new config.json",
      "",
      0,
      0,
      options ->
          options
              .text("dir", "the bundle's directory", "--bundle", "-b")
              .flag("for a rootless container", "--rootless"),
      Subcommand::spec),
  START(
      "execute the process of a created container",
      "<container-id>",
      1,
      1,
      options -> {},
      ContainerCommands::start),
  STATE(
      "output the state of a container",
      "<container-id>",
      1,
      1,
      options -> {},
      ContainerCommands::state),
  UPDATE(
      "update container resource constraints",
      "<container-id>",
      1,
      1,
      UpdateCommand::options,
      UpdateCommand::perform),
  VOLUME(
      "keep named volumes: create, list, inspect, rm",
      "create|list|inspect|rm [options] [arguments...]",
      1,
      Integer.MAX_VALUE,
      options -> {},
      VolumeCommands::perform);

  private final String summary;
  private final String arguments;
  private final int minArguments;
  private final int maxArguments;
  private final Consumer<Options> options;
  private final ToIntFunction<Request> action;
  private final Grammar grammar;

  Subcommand(
      String summary,
      String arguments,
      int minArguments,
      int maxArguments,
      Consumer<Options> options,
      ToIntFunction<Request> action) {
    this.summary = summary;
    this.arguments = arguments;
    this.minArguments = minArguments;
    this.maxArguments = maxArguments;
    this.options = options;
    this.action = action;
    // Only where the rest belongs to another program must options come first; runc reorders
    // elsewhere.
    this.grammar = new Grammar(this::spec, maxArguments == Integer.MAX_VALUE);
  }

  static @Nullable Subcommand named(String name) {
    for (Subcommand command : values()) {
      if (command.commandName().equals(name)) {
        return command;
      }
    }
    return null;
  }

  String commandName() {
    return name().toLowerCase(Locale.ROOT);
  }

  String summary() {
    return summary;
  }

  String usage() {
    return usage(List.of());
  }

  /// @param words of the line that asks for it
  private String usage(List<String> words) {
    return this == CNI ? CniCommands.usage(words, grammar.usage()) : grammar.usage();
  }

  /// Whether its first argument is a command that has a help of its own.
  boolean hasCommands() {
    return switch (this) {
      case BUNDLE, CNI, IMAGE, ROOTFS, SANDBOX, VOLUME -> true;
      default -> false;
    };
  }

  int perform(List<String> args, GlobalOptions global, Operations operations, Caller caller) {
    if (this == RUN && ImageRun.isAsked(args)) {
      return ImageRun.perform(args, global, operations, caller);
    }
    ParsedLine line = grammar.parse(args);
    if (line.isHelp()) {
      caller.out(usage(line.arguments()));
      return 0;
    }
    checkCount(line.arguments().size());
    return action.applyAsInt(new Request(global, line, operations, caller));
  }

  private CommandSpec spec() {
    Options built = new Options("jrun " + commandName(), summary);
    options.accept(built);
    return built.withArguments(arguments);
  }

  private void checkCount(int count) {
    if (minArguments == maxArguments && count != minArguments) {
      throw wrongCount("exactly", minArguments);
    } else if (count < minArguments) {
      throw wrongCount("a minimum of", minArguments);
    } else if (count > maxArguments) {
      throw wrongCount("a maximum of", maxArguments);
    }
  }

  private CommandFailure wrongCount(String bound, int count) {
    return CommandFailure.usage(
        "jrun: \"" + commandName() + "\" requires " + bound + " " + count + " argument(s)");
  }

  private static int spec(Request request) {
    request
        .operations()
        .spec(
            request.global(),
            request.line().text("--bundle", ""),
            request.line().has("--rootless"));
    return 0;
  }

  private static int print(Request request, String text) {
    request.print(text);
    return 0;
  }

  private static int engine(Request request) {
    boolean json = ContainerCommands.isJson(request, "text");
    switch (request.id()) {
      case "status" -> {
        String status =
            request
                .operations()
                .engineStatus()
                .orElseThrow(() -> CommandFailure.usage("no engine runs"));
        request.print(json ? status : members(status));
      }
      case "stop" -> request.operations().engineStop();
      case "restart" -> request.operations().engineRestart();
      default -> throw CommandFailure.usage("unknown command \"engine " + request.id() + "\"");
    }
    return 0;
  }

  /// A JSON object as one line for each member.
  private static String members(String json) {
    if (!(Json.parse(json) instanceof JsonObject object)) {
      return json;
    }
    StringBuilder text = new StringBuilder();
    object
        .members()
        .forEach((name, value) ->
            text.append(name)
                .append(": ")
                .append(value instanceof JsonString string ? string.value() : value.toText())
                .append('\n'));
    return text.toString();
  }
}
