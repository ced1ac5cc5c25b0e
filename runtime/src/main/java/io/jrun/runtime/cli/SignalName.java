package io.jrun.runtime.cli;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The signals that `jrun kill` takes, by name as signal(7) has them for x86 and ARM, or by number.
final class SignalName {
  private static final int LAST = 64;
  private static final int RTMIN = 34;
  private static final Map<String, Integer> NUMBERS =
      Map.ofEntries(
          Map.entry("HUP", 1),
          Map.entry("INT", 2),
          Map.entry("QUIT", 3),
          Map.entry("ILL", 4),
          Map.entry("TRAP", 5),
          Map.entry("ABRT", 6),
          Map.entry("IOT", 6),
          Map.entry("BUS", 7),
          Map.entry("FPE", 8),
          Map.entry("KILL", 9),
          Map.entry("USR1", 10),
          Map.entry("SEGV", 11),
          Map.entry("USR2", 12),
          Map.entry("PIPE", 13),
          Map.entry("ALRM", 14),
          Map.entry("TERM", 15),
          Map.entry("STKFLT", 16),
          Map.entry("CHLD", 17),
          Map.entry("CLD", 17),
          Map.entry("CONT", 18),
          Map.entry("STOP", 19),
          Map.entry("TSTP", 20),
          Map.entry("TTIN", 21),
          Map.entry("TTOU", 22),
          Map.entry("URG", 23),
          Map.entry("XCPU", 24),
          Map.entry("XFSZ", 25),
          Map.entry("VTALRM", 26),
          Map.entry("PROF", 27),
          Map.entry("WINCH", 28),
          Map.entry("IO", 29),
          Map.entry("POLL", 29),
          Map.entry("PWR", 30),
          Map.entry("SYS", 31));

  private SignalName() {}

  /// The number of a signal such as `TERM`, `sigkill`, `RTMIN+3`, `RTMAX-1` or `9`; 0 asks only
  /// whether the process exists.
  static int parse(String text) {
    String name = text.strip().toUpperCase(Locale.ROOT);
    if (name.startsWith("SIG")) {
      name = name.substring("SIG".length());
    } else if (!name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return inRange(number(name, text), 0, text);
    }
    @Nullable Integer known = NUMBERS.get(name);
    if (known != null) {
      return known;
    }
    if (name.equals("RTMIN")) {
      return RTMIN;
    }
    if (name.equals("RTMAX")) {
      return LAST;
    }
    if (name.startsWith("RTMIN+")) {
      return inRange(RTMIN + number(name.substring("RTMIN+".length()), text), RTMIN, text);
    }
    if (name.startsWith("RTMAX-")) {
      return inRange(LAST - number(name.substring("RTMAX-".length()), text), RTMIN, text);
    }
    throw unknown(text);
  }

  /// At most two digits, so that no sum overflows.
  private static int number(String digits, String text) {
    if (!digits.matches("[0-9]{1,2}")) {
      throw unknown(text);
    }
    return Integer.parseInt(digits);
  }

  private static int inRange(int signal, int first, String text) {
    if (signal < first || signal > LAST) {
      throw unknown(text);
    }
    return signal;
  }

  private static CommandFailure unknown(String text) {
    return CommandFailure.usage("unknown signal \"" + text + "\"");
  }
}
