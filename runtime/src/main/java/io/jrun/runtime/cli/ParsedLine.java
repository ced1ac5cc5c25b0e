package io.jrun.runtime.cli;

import java.util.List;
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

/// A command line after picocli, with runc's messages for what was wrong in it.
final class ParsedLine {
  private final ParseResult result;

  private ParsedLine(ParseResult result) {
    this.result = result;
  }

  /// @param stopAtPositional whether options end at the first argument, so that all after it
  ///   belongs to another program
  static ParsedLine parse(CommandSpec spec, List<String> args, boolean stopAtPositional) {
    CommandLine line =
        new CommandLine(spec)
            .setExpandAtFiles(false)
            .setOverwrittenOptionsAllowed(true)
            .setStopAtPositional(stopAtPositional);
    try {
      return new ParsedLine(line.parseArgs(args.toArray(String[]::new)));
    } catch (UnmatchedArgumentException e) {
      String flag = e.getUnmatched().isEmpty() ? "" : e.getUnmatched().getFirst();
      throw CommandFailure.usage("flag provided but not defined: " + oneDash(flag));
    } catch (MissingParameterException e) {
      throw CommandFailure.usage("flag needs an argument: " + missing(e.getMissing()));
    } catch (ParameterException e) {
      throw CommandFailure.usage(String.valueOf(e.getMessage()));
    }
  }

  /// The help of a command, as text.
  static String usage(CommandSpec spec) {
    return new CommandLine(spec).getUsageMessage(Ansi.OFF);
  }

  private static String missing(List<ArgSpec> missing) {
    return !missing.isEmpty() && missing.getFirst() instanceof OptionSpec option
        ? oneDash(option.longestName())
        : "";
  }

  private static String oneDash(String flag) {
    String name = flag.startsWith("--") ? flag.substring(1) : flag;
    int value = name.indexOf('=');
    return value < 0 ? name : name.substring(0, value);
  }

  boolean isHelp() {
    return result.isUsageHelpRequested();
  }

  List<String> arguments() {
    return result.matchedPositionalValue(0, List.of());
  }

  boolean has(String option) {
    return result.hasMatchedOption(option);
  }

  /// The value of an option; null when it is absent or empty.
  @Nullable String text(String option) {
    String value = text(option, "");
    return value.isEmpty() ? null : value;
  }

  String text(String option, String absent) {
    return result.matchedOptionValue(option, absent);
  }

  List<String> texts(String option) {
    return result.matchedOptionValue(option, List.of());
  }

  /// A count, 0 when it is absent.
  int count(String option) {
    String value = text(option, "0");
    try {
      int count = Integer.parseInt(value);
      if (count >= 0) {
        return count;
      }
    } catch (NumberFormatException e) {
      // Reported below, as a negative number is.
    }
    throw invalid(option, value);
  }

  /// Ids, each an unsigned 32-bit number.
  List<Long> ids(String option) {
    return texts(option).stream().map(value -> id(option, value.strip())).toList();
  }

  private static long id(String option, String value) {
    try {
      return Integer.parseUnsignedInt(value) & 0xffff_ffffL;
    } catch (NumberFormatException e) {
      throw invalid(option, value);
    }
  }

  private static CommandFailure invalid(String option, String value) {
    return CommandFailure.usage(
        "invalid value \"" + value + "\" for flag " + oneDash(option) + ": parse error");
  }
}
