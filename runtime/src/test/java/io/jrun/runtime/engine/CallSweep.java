package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Syscall;
import io.jrun.runtime.engine.CallLog.Place;
import io.jrun.runtime.engine.Sandbox.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/// Fails each call of a command in turn, in the engine and in the helpers: one clear error or
/// success, and nothing left.
///
/// `-Djrun.sweep.errnos=EIO,ENOENT,…` chooses the errnos, `-Djrun.sweep.all=true` fails also those
/// calls that another sweep has.
abstract class CallSweep extends EngineTest {
  private static final boolean ALL = Boolean.getBoolean("jrun.sweep.all");

  private static final Place NOWHERE = new Place("", 0);

  private final List<String> problems = new ArrayList<>();
  private Map<String, String> environment = Map.of();

  /// Looks at what became of a container; adds what is wrong.
  interface Check {
    void look(String id, Outcome outcome, List<String> wrong);
  }

  interface Action {
    void perform() throws Exception;
  }

  /// A command to sweep.
  ///
  /// @param before prepares for the container of that id
  /// @param known calls that are not failed, as another sweep has them
  /// @param fails whether the command fails in any case, at its last call of recvmsg: what is
  ///   behind that undoes it, and is not failed too
  record Sweep(
      String name,
      Consumer<String> before,
      Function<String, String[]> words,
      Check after,
      List<String> known,
      boolean fails) {
    Sweep(String name, Consumer<String> before, Function<String, String[]> words, Check after) {
      this(name, before, words, after, List.of(), false);
    }

    Sweep beside(List<String> others) {
      return new Sweep(name, before, words, after, others, fails);
    }

    Sweep thatFails() {
      return new Sweep(name, before, words, after, known, true);
    }
  }

  @Override
  Map<String, String> environment() {
    return environment;
  }

  /// Does something with another config.
  void withConfig(UnaryOperator<String> edit, Action action) throws Exception {
    sandbox.config(edit);
    try {
      action.perform();
    } finally {
      sandbox.config(text -> text);
    }
  }

  /// Does something with a variable in the environment of each command.
  void with(String variable, String value, Action action) throws Exception {
    environment = Map.of(variable, value);
    try {
      action.perform();
    } finally {
      environment = Map.of();
    }
  }

  private static List<Errno> errnos() {
    List<Errno> chosen = new ArrayList<>();
    for (String name : System.getProperty("jrun.sweep.errnos", "EIO").split(","))
      for (int value = 1; value < 134; value++)
        if (Errno.of(value).name().equals(name)) chosen.add(Errno.of(value));
    return chosen;
  }

  private Outcome observed(CallLog log, String... words) {
    engine.observe(log);
    try {
      return command(words);
    } finally {
      engine.observe(null);
    }
  }

  /// The calls of a command that succeeds, with what differs from time to time left out.
  List<String> calls(String id, String... words) {
    CallLog log = CallLog.recording();
    Outcome outcome = observed(log, words);
    assertThat(outcome.status()).as("%s", outcome).isZero();
    return log.texts(id);
  }

  /// ENOENT of a directory that is there is what no kernel says, and what removal relies on.
  private static boolean isLie(Syscall<?> call, Errno errno) {
    return errno.equals(Errno.ENOENT) && call instanceof FileCall.Unlinkat;
  }

  /// Fails each call of the command in turn; the removal afterwards must leave nothing.
  void sweep(Sweep sweep) {
    String first = newId();
    CallLog recorded = recorded(sweep, first);
    List<Place> places =
        new ArrayList<>(ALL ? recorded.places() : recorded.placesBeside(sweep.known(), first));
    if (sweep.fails()) places = recorded.before(SocketCall.Recvmsg.class);
    // what chance brings, such as a tidying of the engine's own, does not come a second time
    places.retainAll(recorded(sweep, newId()).places());
    assertThat(places).as("calls of " + sweep.name()).isNotEmpty();
    places = SweptSteps.of(places);
    int refused = 0;
    long started = System.nanoTime();
    for (Errno errno : errnos())
      for (Place place : places)
        if (!isLie(recorded.at(place), errno) && refuses(sweep, recorded, place, errno)) refused++;
    long millis = (System.nanoTime() - started) / 1_000_000;
    System.out.printf(
        "sweep of %s: %d calls, %d runs, %d refused, %d ms%n",
        sweep.name(), places.size(), places.size() * errnos().size(), refused, millis);
    if (!TestEngine.idle()) problems.add(sweep.name() + ": a command's thread does not end");
    List<String> found = List.copyOf(problems);
    problems.clear();
    found.forEach(text -> System.out.println("problem: " + text));
    assertThat(found).as("problems of " + sweep.name()).isEmpty();
  }

  /// The command's calls where none of them fails.
  private CallLog recorded(Sweep sweep, String id) {
    sweep.before().accept(id);
    // what an earlier command does behind its client's end is not this one's
    assertThat(TestEngine.idle()).as("the engine is idle before " + sweep.name()).isTrue();
    CallLog log = CallLog.recording();
    Outcome healthy = observed(log, sweep.words().apply(id));
    assertThat(healthy.status() != 0).as("%s", healthy).isEqualTo(sweep.fails());
    assertThat(command(removal(id)).status()).isZero();
    return log;
  }

  /// Performs the command with one call failing; whether it was refused.
  private boolean refuses(Sweep sweep, CallLog healthy, Place place, Errno errno) {
    String id = newId();
    long descriptors = Sandbox.descriptors();
    sweep.before().accept(id);
    CallLog log = CallLog.failing(place, errno);
    List<String> wrong = new ArrayList<>();
    Outcome outcome;
    try {
      outcome = observed(log, sweep.words().apply(id));
    } catch (AssertionError e) {
      problems.add(
          sweep.name() + ": " + place + " " + log.failed() + ": " + e + " " + e.getCause());
      command(removal(id));
      return true;
    }
    if (log.failed().isEmpty() && place.number() < 3) wrong.add("never came to that call");
    // criu says on its own that nobody asks any more
    if (outcome.status() != 0
        && outcome.err().lines().filter(line -> !line.startsWith("Error (criu/")).count() != 1)
      wrong.add("not one line of error: " + outcome.err());
    String told = errors(outcome);
    if (outcome.status() == 0 && (!told.isEmpty() || sweep.fails()))
      wrong.add("success with an error: " + told);
    if (outcome.status() != 0 && !sweep.fails() && !says(outcome.err(), errno))
      wrong.add("the error does not say " + errno.name());
    if (!hitTheUndoing(sweep, healthy, log, place)) sweep.after().look(id, outcome, wrong);
    Outcome deleted = command(removal(id));
    if (deleted.status() != 0) wrong.add("removal: " + deleted.err());
    List<String> left = sandbox.leftSoon(id);
    if (!left.isEmpty()) wrong.add("left after the removal: " + left);
    if (leaks(descriptors)) wrong.add("the engine leaks descriptors");
    for (String text : wrong)
      problems.add(
          "%s: %s %s: %s: %s   [%s]"
              .formatted(
                  sweep.name(), place, log.failed(), errno.name(), text, outcome.err().strip()));
    return outcome.status() != 0;
  }

  /// Whether the call that failed came behind the command's own failure, as how often something is
  /// polled differs from time to time.
  private static boolean hitTheUndoing(Sweep sweep, CallLog healthy, CallLog log, Place place) {
    Class<?> last = SocketCall.Recvmsg.class;
    return sweep.fails() && log.countBefore(place, last) >= healthy.countBefore(NOWHERE, last);
  }

  private static boolean says(String error, Errno errno) {
    // a program that cannot be looked at is one that is not found, in runc's words
    return error.contains(errno.name())
        || error.contains(errno.text())
        || error.contains("executable file not found in $PATH")
        || error.contains("permission denied");
  }

  /// Whether the engine has more descriptors than before, also a moment later.
  private static boolean leaks(long before) {
    return !Sandbox.eventually(() -> Sandbox.descriptors() <= before);
  }

  /// What a command that succeeds may not say.
  String errors(Outcome outcome) {
    return outcome.err();
  }

  /// What removes what a sweep's command made.
  String[] removal(String id) {
    return new String[] {"delete", "--force", id};
  }

  void nothingUnlessMade(String id, Outcome outcome, List<String> wrong) {
    if (outcome.status() != 0) nothing(id, wrong);
    else if (!status(id).equals("created")) wrong.add("status is " + status(id));
  }

  void nothing(String id, List<String> wrong) {
    List<String> left = sandbox.leftSoon(id);
    if (!left.isEmpty()) wrong.add("left by the command: " + left);
  }

  String status(String id) {
    Outcome state = command("state", id);
    if (state.status() != 0) return "gone";
    return state.out().replaceAll("(?s).*\"status\": \"([a-z]+)\".*", "$1");
  }

  void stillRuns(String id, Outcome outcome, List<String> wrong) {
    if (!status(id).equals("running")) wrong.add("the container is " + status(id));
  }

  /// An exec'd process has ended, and nothing else.
  void runsAlone(String id, Outcome outcome, List<String> wrong) {
    stillRuns(id, outcome, wrong);
    // one whose birth was not heard of ends when it finds its engine's socket closed
    if (!Sandbox.eventually(() -> !processes(id).contains(",")))
      wrong.add("processes: " + processes(id));
  }

  private String processes(String id) {
    return command("ps", "--format", "json", id).out();
  }

  void created(String id) {
    made("create", id);
  }

  void running(String id) {
    made("run", "--detach", id);
  }

  void paused(String id) {
    running(id);
    made("pause", id);
  }
}
