package io.jrun.runtime.cli;

import java.util.List;
import picocli.CommandLine.Model.CommandSpec;

/// The options of a command below another, such as `rootfs unpack`.
record Nested(ParsedLine line) {
  /// Parses, and prints the help where that is asked for.
  static Nested parse(
      Options options, String arguments, List<String> args, int least, int most, Request request) {
    CommandSpec spec = options.withArguments(arguments);
    Grammar grammar = new Grammar(() -> spec, most == Integer.MAX_VALUE);
    return parse(grammar, spec.name(), arguments, args, least, most, request);
  }

  /// The same by a grammar that is kept, as making one takes longer than all the rest.
  static Nested parse(
      Grammar grammar,
      String name,
      String arguments,
      List<String> args,
      int least,
      int most,
      Request request) {
    ParsedLine line = grammar.parse(args);
    if (line.isHelp()) {
      request.caller().out(grammar.usage());
      return new Nested(line);
    }
    int count = line.arguments().size();
    if (count < least || count > most) {
      throw CommandFailure.usage(name + ": wrong number of arguments, needs " + arguments);
    }
    return new Nested(line);
  }

  boolean isHelp() {
    return line.isHelp();
  }

  String argument(int index) {
    return line.arguments().get(index);
  }

  long positive(String option, long absent) {
    String value = line.text(option, "");
    if (value.isEmpty()) return absent;
    try {
      long number = Long.parseLong(value);
      if (number > 0) return number;
    } catch (NumberFormatException e) {
      // reported below, as a number that is not positive is
    }
    throw CommandFailure.usage(
        "invalid value \""
            + value
            + "\" for flag "
            + option.substring(1)
            + ": not a positive number");
  }
}
