package io.jrun.runtime.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/// What a command line may say, with runc's messages for what is wrong in it. picocli takes far
/// longer to build its model than to use it, and a model serves one parse at a time: those that are
/// idle are kept.
final class Grammar {
  private final Supplier<CommandSpec> spec;
  private final boolean stopAtPositional;
  private final Queue<CommandLine> idle = new ConcurrentLinkedQueue<>();
  private volatile @Nullable PlainGrammar plain;

  /// @param stopAtPositional whether options end at the first argument, so that all after it
  ///   belongs to another program
  Grammar(Supplier<CommandSpec> spec, boolean stopAtPositional) {
    this.spec = spec;
    this.stopAtPositional = stopAtPositional;
  }

  ParsedLine parse(List<String> args) {
    ParsedLine line = plain().parse(args);
    return line == null ? parseAny(args) : line;
  }

  private PlainGrammar plain() {
    PlainGrammar known = plain;
    if (known == null) {
      known = new PlainGrammar(spec.get(), stopAtPositional);
      plain = known;
    }
    return known;
  }

  /// What picocli makes of a line.
  ParsedLine parseAny(List<String> args) {
    CommandLine line = idle.poll();
    if (line == null) line = build();
    ParsedLine parsed = parse(line, args);
    idle.add(line);
    return parsed;
  }

  private CommandLine build() {
    return new CommandLine(spec.get())
        .setExpandAtFiles(false)
        .setOverwrittenOptionsAllowed(true)
        .setStopAtPositional(stopAtPositional);
  }

  private static ParsedLine parse(CommandLine line, List<String> args) {
    try {
      return read(line.parseArgs(args.toArray(String[]::new)));
    } catch (UnmatchedArgumentException e) {
      String flag = e.getUnmatched().isEmpty() ? "" : e.getUnmatched().getFirst();
      throw CommandFailure.usage("flag provided but not defined: " + ParsedLine.oneDash(flag));
    } catch (MissingParameterException e) {
      throw CommandFailure.usage("flag needs an argument: " + missing(e.getMissing()));
    } catch (ParameterException e) {
      throw CommandFailure.usage(String.valueOf(e.getMessage()));
    }
  }

  /// The values, free of the model that they were parsed into.
  private static ParsedLine read(ParseResult result) {
    Map<String, Object> options = new HashMap<>();
    for (OptionSpec option : result.matchedOptions()) {
      Object value = option.getValue();
      if (value instanceof List<?> list) value = List.copyOf(list);
      for (String name : option.names()) options.put(name, value == null ? "" : value);
    }
    List<String> arguments = result.matchedPositionalValue(0, List.of());
    return new ParsedLine(options, new ArrayList<>(arguments), result.isUsageHelpRequested());
  }

  private static String missing(List<ArgSpec> missing) {
    return !missing.isEmpty() && missing.getFirst() instanceof OptionSpec option
        ? ParsedLine.oneDash(option.longestName())
        : "";
  }

  /// The help, as text.
  String usage() {
    return new CommandLine(spec.get()).getUsageMessage(Ansi.OFF);
  }
}
