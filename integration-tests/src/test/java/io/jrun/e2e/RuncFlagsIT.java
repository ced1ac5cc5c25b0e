package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Every command and flag of runc is one of jrun's: of the runc that is installed, by its own help,
/// and of runc 1.5.
@JrunOnly
class RuncFlagsIT extends EndToEnd {
  private static final Pattern COMMAND = Pattern.compile("^ {3,5}([a-z]+)\\s{2,}\\S.*");
  private static final Pattern FLAG = Pattern.compile("^ {3}(-.*?)(\\s{2,}.*)?$");

  /// Flags that runc 1.5 has and 1.1 has not, with `=` where a value follows.
  private static final Map<String, List<String>> NEWER =
      Map.of(
          "create", List.of("--pidfd-socket="),
          "run", List.of("--pidfd-socket=", "--keep"),
          "exec", List.of("--pidfd-socket=", "--cgroup=", "--ignore-paused", "--env=", "-g="),
          "update",
              List.of(
                  "--cpu-burst=",
                  "--cpu-idle=",
                  "--memory-swap=",
                  "--pids-limit=",
                  "--l3-cache-schema=",
                  "--mem-bw-schema="),
          "checkpoint", List.of("--tcp-skip-in-flight", "--link-remap", "--status-fd="),
          "restore", List.of("--lsm-profile=", "--lsm-mount-context=", "--lazy-pages"),
          "kill", List.of("--all"),
          "events", List.of("--interval=", "--stats"));

  private void assertKnown(List<String> before, String flag, boolean takesValue) {
    List<String> words = new ArrayList<>(before);
    words.add(flag);
    if (takesValue) words.add("no-such-value");
    Outcome outcome = command(words.toArray(String[]::new)).in(temp).run();
    assertThat(outcome.err()).as("%s", words).doesNotContain("not defined", "needs an argument");
  }

  @Test
  void flagsOfTheInstalledRunc() {
    Machine.assumeInstalled("runc");
    List<String> commands = new ArrayList<>();
    for (String line : Command.of("runc", "help").run().succeeds().lines()) {
      Matcher matcher = COMMAND.matcher(line);
      if (matcher.matches() && !List.of("help", "init").contains(matcher.group(1)))
        commands.add(matcher.group(1));
    }
    assertThat(commands).contains("run", "checkpoint", "features").hasSizeGreaterThan(15);
    int checked = checkHelp(List.of(), Command.of("runc", "help").run().succeeds());
    for (String command : commands) {
      Outcome outcome = command(command, "--help").run().succeeds();
      assertThat(outcome.out()).contains("jrun " + command);
      checked += checkHelp(List.of(command), Command.of("runc", command, "--help").run());
    }
    assertThat(checked).as("flags in runc's help").isGreaterThan(80);
  }

  private int checkHelp(List<String> before, Outcome help) {
    int checked = 0;
    boolean options = false;
    for (String line : help.lines()) {
      if (line.contains("OPTIONS:")) options = true;
      Matcher matcher = FLAG.matcher(line);
      if (!options || !matcher.matches()) continue;
      String[] forms = matcher.group(1).split(", ");
      // `--log value, -l value`: what follows the name is its value's
      for (String form : forms) {
        String[] words = form.strip().split("[ =]+", 2);
        boolean takesValue = matcher.group(1).matches(".*[ =](value|\\[.*|string|int|duration).*");
        if (!words[0].matches("-h|--help|-v|--version")) {
          assertKnown(before, words[0], takesValue);
          checked++;
        }
      }
    }
    return checked;
  }

  @Test
  void flagsOfNewerRuncs() {
    NEWER.forEach((command, flags) ->
        flags.forEach(
            flag -> assertKnown(List.of(command), flag.replace("=", ""), flag.endsWith("="))));
  }
}
