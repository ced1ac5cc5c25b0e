package io.jrun.runtime.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// The command `jrun`.
public final class JrunCommand {
  private static final String OCI_VERSION = "1.3.0";

  private static final Grammar GLOBAL = new Grammar(JrunCommand::globalSpec, true);

  private final Operations operations;
  private final Caller caller;

  private JrunCommand(Operations operations, Caller caller) {
    this.operations = operations;
    this.caller = caller;
  }

  /// Parses and performs one command line, without argv[0], and returns the exit status.
  public static int execute(List<String> args, Operations operations, Caller caller) {
    return new JrunCommand(operations, caller).execute(args);
  }

  private int execute(List<String> args) {
    GlobalOptions global = GlobalOptions.DEFAULTS;
    try {
      ParsedLine line = GLOBAL.parse(args);
      global = globalOptions(line);
      return command(line, global);
    } catch (CommandFailure e) {
      new Log(global, caller).error(Log.message(e));
      return e.status();
    } catch (RuntimeException e) {
      new Log(global, caller).error(Log.message(e));
      return 1;
    }
  }

  private int command(ParsedLine line, GlobalOptions global) {
    List<String> words = line.arguments();
    if (line.has("--version")) {
      caller.out("jrun version " + version() + "\nspec: " + OCI_VERSION + "\n");
      return 0;
    }
    if (words.isEmpty() || line.isHelp()) {
      caller.out(help());
      return 0;
    }
    String name = words.getFirst();
    if (name.equals("help") || name.equals("h")) {
      return help(words.subList(1, words.size()), global);
    }
    Subcommand command = subcommand(name);
    if (!new Log(global, caller).opens()) return 1;
    return command.perform(words.subList(1, words.size()), global, operations, caller);
  }

  private int help(List<String> words, GlobalOptions global) {
    if (words.size() > 1 && subcommand(words.getFirst()).hasCommands()) {
      List<String> asked = new ArrayList<>(words.subList(1, words.size()));
      asked.add(1, "--help");
      return subcommand(words.getFirst()).perform(asked, global, operations, caller);
    }
    caller.out(words.isEmpty() ? help() : subcommand(words.getFirst()).usage());
    return 0;
  }

  private static Subcommand subcommand(String name) {
    @Nullable Subcommand command = Subcommand.named(name);
    if (command == null) {
      throw new CommandFailure(CommandFailure.UNKNOWN_COMMAND, "unknown command \"" + name + "\"");
    }
    return command;
  }

  private static CommandSpec globalSpec() {
    return new Options("jrun", "runs OCI containers")
        .flag("log what is done, with timings", "--debug")
        .flag("log every system call with its result and time", "--trace")
        .text("file", "the log file; by default standard error", "--log")
        .text("text|json", "the format of the log", "--log-format")
        .text("dir", "the directory of the containers' state", "--root")
        .flag("use systemd for cgroups; cgroupsPath is slice:prefix:name", "--systemd-cgroup")
        .text("true|false|auto", "ignore cgroup permission errors", "--rootless")
        .hiddenText("--criu")
        .flag("print the version", "--version", "-v")
        .withArguments("command [command options] [arguments...]");
  }

  private static GlobalOptions globalOptions(ParsedLine line) {
    @Nullable String log = line.text("--log");
    return new GlobalOptions(
        line.text("--root", ""),
        log == null || log.equals("/dev/stderr") ? null : log,
        logFormat(line.text("--log-format", "text")),
        line.has("--debug"),
        line.has("--trace"),
        line.has("--systemd-cgroup"),
        rootless(line.text("--rootless", "auto")));
  }

  private static LogFormat logFormat(String name) {
    return switch (name) {
      case "text", "" -> LogFormat.TEXT;
      case "json" -> LogFormat.JSON;
      default -> throw CommandFailure.usage("invalid log-format: " + name);
    };
  }

  private static String rootless(String value) {
    return switch (value) {
      case "", "auto" -> "auto";
      case "1", "t", "T", "true", "TRUE", "True" -> "true";
      case "0", "f", "F", "false", "FALSE", "False" -> "false";
      default ->
          throw CommandFailure.usage(
              "invalid value \"" + value + "\" for flag -rootless: not true, false or auto");
    };
  }

  private static String help() {
    StringBuilder text = new StringBuilder(GLOBAL.usage()).append("\nCommands:\n");
    for (Subcommand command : Subcommand.values()) {
      text.append(String.format("  %-10s %s%n", command.commandName(), command.summary()));
    }
    return text.toString();
  }

  private static String version() {
    @Nullable String version = JrunCommand.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
