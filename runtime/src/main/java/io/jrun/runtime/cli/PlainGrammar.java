package io.jrun.runtime.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/// The plain part of a [Grammar], read without picocli, whose parser takes longer than everything
/// else before a container is born: whole option names, values as words of their own, arguments.
/// All else, errors among it, is left to picocli, which also has the last word on what is meant: a
/// test compares the two.
final class PlainGrammar {
  private record Option(List<String> names, boolean flag, boolean repeats, boolean splits) {}

  private final Map<String, Option> options = new HashMap<>();
  private final boolean stopAtPositional;

  PlainGrammar(CommandSpec spec, boolean stopAtPositional) {
    this.stopAtPositional = stopAtPositional;
    for (OptionSpec option : spec.options()) {
      if (option.usageHelp()) continue;
      boolean flag = option.arity().max() == 0;
      boolean repeats = option.type() == List.class;
      boolean splits = !option.splitRegex().isEmpty();
      Option plain = new Option(List.of(option.names()), flag, repeats, splits);
      for (String name : option.names()) options.put(name, plain);
    }
  }

  /// The line, or null where it is not plain.
  @Nullable ParsedLine parse(List<String> args) {
    Map<String, Object> values = new HashMap<>();
    List<String> arguments = new ArrayList<>();
    for (int i = 0; i < args.size(); i++) {
      String arg = args.get(i);
      if (stopAtPositional && !arguments.isEmpty()) {
        arguments.add(arg);
      } else if (!isWord(arg)) {
        Option option = options.get(arg);
        if (option == null) return null;
        Object value = true;
        if (!option.flag()) {
          if (++i == args.size() || !isWord(args.get(i))) return null;
          value = args.get(i);
          // several values in one, perhaps quoted
          if (option.splits() && !isSingle(args.get(i))) return null;
        }
        put(values, option, value);
      } else {
        arguments.add(arg);
      }
    }
    return new ParsedLine(values, arguments, false);
  }

  /// Nothing that looks like an option, and nothing that a quote or a file could hide.
  private static boolean isWord(String arg) {
    return !arg.isEmpty() && arg.charAt(0) != '-';
  }

  /// One value, of which nothing is quoted.
  private static boolean isSingle(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      boolean isPlain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '-' && c <= ':';
      if (!isPlain && c != '_') return false;
    }
    return true;
  }

  private static void put(Map<String, Object> values, Option option, Object value) {
    Object now = value;
    if (option.repeats()) {
      List<Object> all = new ArrayList<>();
      if (values.get(option.names().getFirst()) instanceof List<?> before) all.addAll(before);
      all.add(value);
      now = List.copyOf(all);
    }
    for (String name : option.names()) values.put(name, now);
  }
}
