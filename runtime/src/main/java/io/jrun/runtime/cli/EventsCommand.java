package io.jrun.runtime.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `jrun events`.
final class EventsCommand {
  private static final Pattern PART = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ns|us|µs|ms|s|m|h)");

  private EventsCommand() {}

  static void options(Options options) {
    options
        .text("duration", "between statistics, by default 5s", "--interval")
        .flag("show the statistics once and exit", "--stats");
  }

  static int perform(Request request) {
    long millis = millis(request.line().text("--interval", "5s"));
    if (millis <= 0) throw CommandFailure.usage("duration interval must be greater than 0");
    request
        .operations()
        .events(
            request.global(),
            request.id(),
            request.line().has("--stats") ? 0 : millis,
            request.caller()::out);
    return 0;
  }

  /// A duration as Go writes it: `1m30s`, `500ms`.
  static long millis(String text) {
    Matcher part = PART.matcher(text);
    double nanos = 0;
    int end = 0;
    while (part.find() && part.start() == end) {
      nanos += Double.parseDouble(part.group(1)) * nanosPer(part.group(2));
      end = part.end();
    }
    if (end != text.length() || text.isEmpty())
      throw CommandFailure.usage("invalid value \"" + text + "\" for flag -interval: parse error");
    return (long) Math.ceil(nanos / 1e6);
  }

  private static double nanosPer(String unit) {
    return switch (unit) {
      case "ns" -> 1;
      case "ms" -> 1e6;
      case "s" -> 1e9;
      case "m" -> 60e9;
      case "h" -> 3600e9;
      default -> 1e3;
    };
  }
}
