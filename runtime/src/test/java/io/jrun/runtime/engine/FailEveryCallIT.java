package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Syscall;
import io.jrun.runtime.engine.CallLog.Place;
import io.jrun.runtime.engine.Sandbox.Outcome;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/// Every operation with each of its calls failing in turn, in the engine and in the helpers: one
/// clear error or success, and nothing left.
///
/// `-Djrun.sweep.errnos=EIO,ENOENT,…` chooses the errnos, `-Djrun.sweep.all=true` adds a rich
/// config.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FailEveryCallIT {
  private final List<String> problems = new ArrayList<>();
  private Sandbox sandbox;
  private TestEngine engine;
  private int serial;

  @BeforeAll
  void startEngine() throws Exception {
    sandbox = new Sandbox();
    engine = TestEngine.at(socket(), sandbox.library());
    // what is loaded and opened once is there before anything is counted
    for (int i = 0; i < 3; i++) {
      assertThat(command("run", "--detach", "warm").status()).isZero();
      assertThat(command("exec", "warm", "true").status()).isZero();
      assertThat(command("delete", "--force", "warm").status()).isZero();
    }
  }

  @AfterAll
  void endEngine() throws Exception {
    if (engine != null) engine.close();
    if (sandbox != null) sandbox.close();
  }

  private Path socket() {
    return sandbox.top().resolve("engine.sock");
  }

  private Outcome command(String... words) {
    Outcome outcome =
        sandbox.run(sandbox.command(Map.of("JRUN_ENGINE", socket().toString()), words));
    try {
      TestEngine.End end = engine.awaitEnd();
      if (end.unreported() != null) end.unreported().printStackTrace(System.out);
      if (end.unreported() != null)
        throw new AssertionError("unreported by " + outcome, end.unreported());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return outcome;
  }

  private static List<Errno> errnos() {
    List<Errno> chosen = new ArrayList<>();
    for (String name : System.getProperty("jrun.sweep.errnos", "EIO").split(","))
      for (int value = 1; value < 134; value++)
        if (Errno.of(value).name().equals(name)) chosen.add(Errno.of(value));
    return chosen;
  }

  private static boolean idle() {
    try {
      return TestEngine.idle();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private String id() {
    return sandbox.tag() + "-" + serial++;
  }

  /// One command to sweep.
  private interface Step {
    void perform(String id);
  }

  private Outcome observed(CallLog log, String... words) {
    engine.observe(log);
    try {
      return command(words);
    } finally {
      engine.observe(null);
    }
  }

  /// ENOENT of a directory that is there is what no kernel says, and what removal relies on.
  private static boolean isLie(Syscall<?> call, Errno errno) {
    return errno.equals(Errno.ENOENT) && call instanceof FileCall.Unlinkat;
  }

  /// Fails each call of the command in turn. `before` prepares a container; afterwards `after`
  /// looks at what became of it, and delete --force must leave nothing.
  private void sweep(
      String name, Step before, java.util.function.Function<String, String[]> words, Check after) {
    String first = id();
    before.perform(first);
    CallLog recorded = CallLog.recording();
    Outcome healthy = observed(recorded, words.apply(first));
    assertThat(healthy.status()).as("%s", healthy).isZero();
    assertThat(command(removal(first)).status()).isZero();
    List<Place> places = recorded.places();
    long descriptors = Sandbox.descriptors();
    int refused = 0;
    long started = System.nanoTime();
    for (Errno errno : errnos()) {
      for (Place place : places) {
        if (isLie(recorded.at(place), errno)) continue;
        String id = id();
        before.perform(id);
        CallLog log = CallLog.failing(place, errno);
        List<String> wrong = new ArrayList<>();
        Outcome outcome;
        try {
          outcome = observed(log, words.apply(id));
        } catch (AssertionError e) {
          problems.add(
              name
                  + ": "
                  + place
                  + " "
                  + log.failed()
                  + ": "
                  + errno.name()
                  + ": "
                  + e
                  + " "
                  + e.getCause());
          command(removal(id));
          continue;
        }
        if (log.failed().isEmpty()) {
          if (place.number() < 3) wrong.add("never came to that call");
        }
        if (outcome.status() != 0) refused++;
        if (outcome.status() != 0 && outcome.err().lines().count() != 1)
          wrong.add("not one line of error: " + outcome.err());
        if (outcome.status() == 0 && !outcome.err().isEmpty())
          wrong.add("success with an error: " + outcome.err());
        after.look(id, outcome, wrong);
        Outcome deleted = command(removal(id));
        if (deleted.status() != 0) wrong.add("delete --force: " + deleted.err());
        List<String> left = sandbox.leftSoon(id);
        if (!left.isEmpty()) wrong.add("left after delete --force: " + left);
        for (String text : wrong)
          problems.add(
              name
                  + ": "
                  + place
                  + " "
                  + log.failed()
                  + ": "
                  + errno.name()
                  + ": "
                  + text
                  + "   ["
                  + outcome.err().strip()
                  + "]");
      }
    }
    long millis = (System.nanoTime() - started) / 1_000_000;
    System.out.printf(
        "sweep of %s: %d calls, %d runs, %d refused, %d ms%n",
        name, places.size(), places.size() * errnos().size(), refused, millis);
    if (!idle()) problems.add(name + ": a command's thread does not end");
    if (Sandbox.descriptors() > descriptors)
      problems.add(
          name
              + ": the engine leaks descriptors: "
              + descriptors
              + " before, "
              + Sandbox.descriptors()
              + " after");
    List<String> found = List.copyOf(problems);
    problems.clear();
    found.forEach(text -> System.out.println("problem: " + text));
    assertThat(found).as("problems of " + name).isEmpty();
  }

  private boolean removesSandboxes;

  private String[] removal(String id) {
    return removesSandboxes
        ? new String[] {"sandbox", "rm", "--force", id}
        : new String[] {"delete", "--force", id};
  }

  private interface Check {
    void look(String id, Outcome outcome, List<String> wrong);
  }

  private void nothingUnlessMade(String id, Outcome outcome, List<String> wrong) {
    if (outcome.status() == 0) {
      if (!status(id).equals("created")) wrong.add("status is " + status(id));
      return;
    }
    List<String> left = sandbox.leftSoon(id);
    if (!left.isEmpty()) wrong.add("left after a failed create: " + left);
  }

  private String status(String id) {
    Outcome state = command("state", id);
    if (state.status() != 0) return "gone";
    return state.out().replaceAll("(?s).*\"status\": \"([a-z]+)\".*", "$1");
  }

  @Test
  void create() {
    sweep("create", id -> {}, id -> new String[] {"create", id}, this::nothingUnlessMade);
  }

  /// What the default config has not: hooks, binds, a sysctl, seccomp, another user.
  @Test
  @EnabledIfSystemProperty(named = "jrun.sweep.all", matches = "true")
  void createOfARichContainer() throws Exception {
    String hook = "[{\"path\":\"/bin/true\"}]";
    String hooks =
        "\"hooks\":{\"createRuntime\":%s,\"createContainer\":%s,\"poststop\":%s},"
            .formatted(hook, hook, hook);
    String seccomp =
        "\"linux\":{\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"},"
            + "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":"
            + "[{\"names\":[\"swapon\"],\"action\":\"SCMP_ACT_ERRNO\"}]},";
    String bind =
        "\"mounts\":[{\"destination\":\"/mnt\",\"source\":\"/tmp\",\"type\":\"bind\","
            + "\"options\":[\"rbind\",\"ro\"]},";
    sandbox.config(text ->
        text.replaceFirst("\\{", "{" + hooks)
            .replace("\"linux\":{", seccomp)
            .replace("\"mounts\":[", bind)
            .replace("\"uid\":0,\"gid\":0", "\"uid\":1000,\"gid\":1000"));
    try {
      sweep(
          "create with hooks, binds, seccomp",
          id -> {},
          id -> new String[] {"create", id},
          this::nothingUnlessMade);
    } finally {
      sandbox.config(text -> text);
    }
  }

  /// A user and a time namespace, an id-mapped bind mount, a copied-up tmpfs: what goes through a
  /// process in between and asks init on the way.
  private void inAUserNamespace(Runnable sweep) throws Exception {
    String linux =
        "\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1000}],"
            + "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1000}],"
            + "\"timeOffsets\":{\"boottime\":{\"secs\":5}},"
            + "\"memoryPolicy\":{\"mode\":\"MPOL_DEFAULT\"},";
    String mounts =
        "\"mounts\":[{\"destination\":\"/mnt\",\"source\":\"/mnt\",\"type\":\"bind\","
            + "\"options\":[\"bind\",\"idmap\"]},"
            + "{\"destination\":\"/etc\",\"source\":\"tmpfs\",\"type\":\"tmpfs\","
            + "\"options\":[\"tmpcopyup\"]},";
    sandbox.config(text ->
        text.replace("\"linux\":{", linux)
            .replace("\"mounts\":[", mounts)
            .replace(
                "\"namespaces\":[", "\"namespaces\":[{\"type\":\"user\"},{\"type\":\"time\"},"));
    try {
      sweep.run();
    } finally {
      sandbox.config(text -> text);
    }
  }

  @Test
  void createInAUserNamespace() throws Exception {
    inAUserNamespace(() ->
        sweep(
            "create in a user namespace",
            id -> {},
            id -> new String[] {"create", id},
            this::nothingUnlessMade));
  }

  @Test
  void execInAUserNamespace() throws Exception {
    inAUserNamespace(this::exec);
  }

  @Test
  void update() {
    sweep(
        "update",
        this::running,
        id -> new String[] {"update", "--pids-limit", "9", "--memory", "64M", id},
        (id, outcome, wrong) -> {
          if (!status(id).equals("running")) wrong.add("the container is " + status(id));
        });
  }

  @Test
  void sandboxRun() {
    removesSandboxes = true;
    try {
      sweep(
          "sandbox run",
          id -> {},
          id -> new String[] {"sandbox", "run", "--sysctl", "kernel.msgmax=4096", id},
          (id, outcome, wrong) -> {
            if (outcome.status() == 0) return;
            List<String> left = sandbox.leftSoon(id);
            if (!left.isEmpty()) wrong.add("left after a failed sandbox run: " + left);
          });
      sweep(
          "sandbox stop",
          id -> assertThat(command("sandbox", "run", id).status()).isZero(),
          id -> new String[] {"sandbox", "stop", id},
          (id, outcome, wrong) -> {
            String listed = command("sandbox", "list").out();
            if (!listed.contains(id)) wrong.add("not listed: " + listed);
          });
      sweep(
          "sandbox rm",
          id -> assertThat(command("sandbox", "run", id).status()).isZero(),
          id -> new String[] {"sandbox", "rm", id},
          (id, outcome, wrong) -> {
            List<String> left = outcome.status() == 0 ? sandbox.leftSoon(id) : List.of();
            if (!left.isEmpty()) wrong.add("left after sandbox rm: " + left);
          });
    } finally {
      removesSandboxes = false;
    }
  }

  @Test
  void createInASandbox() {
    String shared = sandbox.tag() + "-shared";
    assertThat(command("sandbox", "run", shared).status()).isZero();
    try {
      sweep(
          "create --sandbox",
          id -> {},
          id -> new String[] {"create", "--sandbox", shared, id},
          this::nothingUnlessMade);
    } finally {
      assertThat(command("sandbox", "rm", shared).status()).isZero();
    }
  }

  private void created(String id) {
    Outcome made = command("create", id);
    assertThat(made.status()).as("%s", made).isZero();
  }

  private void running(String id) {
    Outcome made = command("run", "--detach", id);
    assertThat(made.status()).as("%s", made).isZero();
  }

  private void paused(String id) {
    running(id);
    assertThat(command("pause", id).status()).isZero();
  }

  @Test
  void start() {
    sweep(
        "start",
        this::created,
        id -> new String[] {"start", id},
        (id, outcome, wrong) -> {
          String status = status(id);
          if (outcome.status() == 0 && !status.equals("running")) wrong.add("status is " + status);
        });
  }

  @Test
  void exec() {
    sweep(
        "exec",
        this::running,
        id -> new String[] {"exec", id, "true"},
        (id, outcome, wrong) -> {
          if (!status(id).equals("running")) wrong.add("the container is " + status(id));
          if (!eventuallyAlone(id)) wrong.add("processes: " + processes(id));
        });
  }

  private String processes(String id) {
    return command("ps", "--format", "json", id).out();
  }

  /// A process whose birth was not heard of ends when it finds its engine's socket closed.
  private boolean eventuallyAlone(String id) {
    long end = System.nanoTime() + 5_000_000_000L;
    while (processes(id).contains(",")) if (System.nanoTime() > end) return false;
    return true;
  }

  @Test
  void runInTheForeground() throws Exception {
    sandbox.config(text -> text.replace("[\"sleep\",\"1000\"]", "[\"true\"]"));
    try {
      sweepOfRun();
    } finally {
      sandbox.config(text -> text);
    }
  }

  private void sweepOfRun() {
    sweep(
        "run",
        id -> {},
        id -> new String[] {"run", id},
        (id, outcome, wrong) -> {
          List<String> left = sandbox.leftSoon(id);
          if (!left.isEmpty()) wrong.add("left: " + left);
        });
  }

  @Test
  void deleteOfACreatedContainer() {
    sweep(
        "delete of a created container",
        this::created,
        id -> new String[] {"delete", id},
        (id, outcome, wrong) -> {
          List<String> left = outcome.status() == 0 ? sandbox.leftSoon(id) : List.of();
          if (!left.isEmpty()) wrong.add("left after delete: " + left);
        });
  }

  @Test
  void forcedDeleteOfARunningContainer() {
    sweep(
        "delete --force",
        this::running,
        id -> new String[] {"delete", "--force", id},
        (id, outcome, wrong) -> {
          List<String> left = outcome.status() == 0 ? sandbox.leftSoon(id) : List.of();
          if (!left.isEmpty()) wrong.add("left after delete --force: " + left);
        });
  }

  @Test
  void kill() {
    sweep(
        "kill",
        this::running,
        id -> new String[] {"kill", "--all", id, "USR1"},
        (id, outcome, wrong) -> {
          if (status(id).equals("paused") && !outcome.err().contains("cannot thaw"))
            wrong.add("left frozen");
        });
  }

  @Test
  void pause() {
    sweep(
        "pause",
        this::running,
        id -> new String[] {"pause", id},
        (id, outcome, wrong) -> {
          String status = status(id);
          if (outcome.status() == 0 && !status.equals("paused")) wrong.add("status is " + status);
        });
  }

  @Test
  void resume() {
    sweep(
        "resume",
        this::paused,
        id -> new String[] {"resume", id},
        (id, outcome, wrong) -> {
          String status = status(id);
          if (outcome.status() == 0 && !status.equals("running")) wrong.add("status is " + status);
        });
  }
}
