package io.jrun.runtime.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// An engine that dies in the middle of a command, for tests: it is started by a helper as the
/// engine is. The directory `jrun.test.control` tells it how:
///
/// - `crash`: the kind of stage and its number at which the next command ends the engine, and
///   whether it takes the client along; taken away when it is read;
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
    engine.beforeEach(() -> engine.observe(stages(control, engine)));
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
      Files.writeString(control.resolve("seen"), text);
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
