package io.jrun.runtime.engine;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.observed.Observer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// An engine that dies in the middle of a command, for tests: it is started by a helper as the
/// engine is. The directory `jrun.test.control` tells it how:
///
/// - `crash`: the kind of stage and its number at which the next command ends the engine, and
///   whether it takes the client along; taken away when it is read;
/// - `record`: taken away likewise; the next command's calls are then in `places`;
/// - `fail`: the place of a call that fails with EIO in the next command; what it was is then in
///   `failed`;
/// - `seen`: what a command that ended had of each kind, written by the engine;
/// - `engines`: a line for each engine, its pid and the path of its socket without the ending.
final class CrashingMain {
  private CrashingMain() {}

  public static void main(String[] args) throws Exception {
    Path control = Path.of(System.getProperty("jrun.test.control"));
    Path library = Path.of(System.getProperty("jrun.library"));
    Files.writeString(
        control.resolve("engines"),
        ProcessHandle.current().pid() + " " + args[1] + "\n",
        java.nio.file.StandardOpenOption.CREATE,
        java.nio.file.StandardOpenOption.APPEND);
    TestEngine engine = new TestEngine(3, library);
    engine.beforeEach(() -> engine.observe(observer(control, engine)));
    engine.afterEach(() -> tell(control, engine));
    while (Files.exists(control)) {
      Thread.sleep(500);
    }
    Runtime.getRuntime().halt(0);
  }

  private static void tell(Path control, TestEngine engine) {
    StringBuilder text = new StringBuilder();
    // the exit is a message too
    if (engine.observer() instanceof Stages stages)
      for (Stages.Kind kind : Stages.Kind.values())
        text.append(kind)
            .append(' ')
            .append(stages.seen(kind) + (kind == Stages.Kind.MESSAGE ? 1 : 0))
            .append('\n');
    try {
      if (engine.observer() instanceof CallLog log) {
        List<String> places = log.places().stream().map(CallLog.Place::toString).toList();
        if (log.failed().isEmpty()) Files.write(control.resolve("places"), places);
        Files.writeString(control.resolve("failed"), log.failed());
      }
      Files.writeString(control.resolve("seen"), text);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Observer observer(Path control, TestEngine engine) {
    try {
      if (Files.deleteIfExists(control.resolve("record"))) return CallLog.recording();
      Path fail = control.resolve("fail");
      if (Files.exists(fail)) {
        String[] place = Files.readString(fail).split("#");
        Files.writeString(control.resolve("failed"), "");
        Files.delete(fail);
        return CallLog.failing(new CallLog.Place(place[0], Integer.parseInt(place[1])), Errno.EIO);
      }
      return stages(control, engine);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Stages stages(Path control, TestEngine engine) {
    try {
      Path crash = control.resolve("crash");
      if (!Files.exists(crash)) return Stages.counting();
      List<String> words = List.of(Files.readString(crash).split(" "));
      Files.delete(crash);
      return new Stages(
          Stages.Kind.valueOf(words.get(0)),
          Integer.parseInt(words.get(1)),
          () -> {
            if (words.get(2).equals("both"))
              ProcessHandle.of(engine.clientPid()).ifPresent(ProcessHandle::destroyForcibly);
            Runtime.getRuntime().halt(137);
          });
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
