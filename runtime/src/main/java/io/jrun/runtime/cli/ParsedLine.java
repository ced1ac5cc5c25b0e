package io.jrun.runtime.cli;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A command line by its [Grammar]: the values of the options that were given, by each of their
/// names, and the arguments.
record ParsedLine(Map<String, Object> options, List<String> arguments, boolean isHelp) {
  ParsedLine {
    options = Map.copyOf(options);
    arguments = List.copyOf(arguments);
  }

  static String oneDash(String flag) {
    String name = flag.startsWith("--") ? flag.substring(1) : flag;
    int value = name.indexOf('=');
    return value < 0 ? name : name.substring(0, value);
  }

  boolean has(String option) {
    return options.containsKey(option);
  }

  /// The value of an option; null when it is absent or empty.
  @Nullable String text(String option) {
    String value = text(option, "");
    return value.isEmpty() ? null : value;
  }

  String text(String option, String absent) {
    return options.get(option) instanceof String value ? value : absent;
  }

  List<String> texts(String option) {
    return options.get(option) instanceof List<?> values
        ? values.stream().map(String::valueOf).toList()
        : List.of();
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
