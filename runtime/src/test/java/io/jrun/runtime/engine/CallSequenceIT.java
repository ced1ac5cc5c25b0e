package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.observed.Observer;
import io.jrun.runtime.Golden;
import io.jrun.runtime.engine.Sandbox.Outcome;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// All that the helpers are told in a container's life, as golden files: each process with its
/// messages in order. What differs from machine to machine is left out: the container's cgroups,
/// whose plans have tests of their own, and pids, times and paths.
class CallSequenceIT {
  private static final Pattern REFERENCE = Pattern.compile("(?<![a-z\\w])#\\d+");

  private static final class Messages implements Observer {
    private final Map<String, StringBuilder> processes = new TreeMap<>();

    @Override
    public Optional<Errno> before(String where, Syscall<?> call) {
      return Optional.empty();
    }

    @Override
    public synchronized void sending(String where, Batch batch) {
      processes
          .computeIfAbsent(where, w -> new StringBuilder())
          .append("-- message\n")
          .append(Golden.text(batch));
    }
  }

  private static String normal(Messages messages, Sandbox sandbox, String id) {
    StringBuilder all = new StringBuilder();
    messages.processes.forEach((where, text) -> {
      all.append("== ").append(where).append('\n');
      for (String message : text.toString().split("-- message\n")) {
        if (!message.isEmpty()) all.append("-- message\n").append(withoutCgroups(message));
      }
    });
    return all.toString()
        .replace(id, "ID")
        .replace(sandbox.top().toString(), "TOP")
        .replaceAll("(pidfd_open|wait4|kill)\\(\\d+", "$1(PID")
        .replaceAll("pid=\\d{2,}", "pid=PID")
        .replaceAll("time=.*level", "time=NOW level")
        .replaceAll("<\\d+ bytes>", "<bytes>")
        // the helper's own layout
        .replaceAll("mmap\\(.*", "mmap(...)")
        .replaceAll("on_eof\\(<bytes>, \\d+", "on_eof(<bytes>, SIZE")
        .replaceAll("PR_SET_MM, 14, .*", "PR_SET_MM, 14, ...)");
  }

  /// Leaves out the calls on cgroups and those that use their results, and numbers the others.
  private static String withoutCgroups(String message) {
    Map<String, Integer> numbers = new HashMap<>();
    StringBuilder kept = new StringBuilder();
    for (String line : message.split("\n")) {
      String number = line.substring(0, line.indexOf(' '));
      String call =
          line.substring(number.length())
              .replaceAll("\\|?CLONE_INTO_CGROUP\\|?", "")
              .replaceAll("cgroup=\\d+", "cgroup=N");
      boolean dropped = call.contains("/sys/fs/cgroup") || call.startsWith(" close(202)");
      Matcher references = REFERENCE.matcher(call);
      while (references.find()) dropped |= !numbers.containsKey(references.group());
      if (dropped) continue;
      numbers.put(number, numbers.size());
      kept.append('#')
          .append(numbers.size() - 1)
          .append(REFERENCE.matcher(call).replaceAll(found -> "#" + numbers.get(found.group())))
          .append('\n');
    }
    return kept.toString();
  }

  @Test
  void aContainersLife() throws Exception {
    try (Sandbox sandbox = new Sandbox()) {
      Path socket = sandbox.top().resolve("engine.sock");
      sandbox.config(text ->
          text.replaceAll(
              ",\\{\"destination\":\"/sys/fs/cgroup\",.*?\"options\":\\[.*?\\]\\}", ""));
      String id = sandbox.tag();
      try (TestEngine engine = TestEngine.at(socket, sandbox.library())) {
        Map<String, String> texts = new TreeMap<>();
        for (String[] words :
            new String[][] {
              {"create", id}, {"start", id}, {"exec", id, "true"}, {"delete", "--force", id}
            }) {
          Messages messages = new Messages();
          engine.observe(messages);
          Outcome outcome =
              sandbox.run(sandbox.command(Map.of("JRUN_ENGINE", socket.toString()), words));
          engine.awaitEnd();
          assertThat(outcome.status()).as("%s", outcome).isZero();
          texts.put("lifecycle/" + words[0] + ".txt", normal(messages, sandbox, id));
        }
        // only now, with the container gone
        texts.forEach((name, text) -> Golden.assertText(text, name));
      }
    }
  }
}
