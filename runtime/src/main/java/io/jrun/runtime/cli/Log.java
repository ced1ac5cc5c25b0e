package io.jrun.runtime.cli;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Rfc3339;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// What a command says besides its result, in runc's records: to the caller's standard error, or to
/// the file of `--log`. Belongs to one command and to the thread that serves it.
public final class Log {
  private final GlobalOptions global;
  private final Caller caller;
  private long lastNanos = System.nanoTime();

  public Log(GlobalOptions global, Caller caller) {
    this.global = global;
    this.caller = caller;
  }

  /// Whether its file can be written. What keeps it from that is told at once, as by runc, and not
  /// when the command has done its work.
  boolean opens() {
    @Nullable String file = global.log();
    if (file == null) return true;
    try {
      caller.appendToFile(file, "");
      return true;
    } catch (RuntimeException e) {
      caller.err(record("error", "the log file: " + message(e), caller.now()));
      return false;
    }
  }

  /// With `--debug`: what was just done, and how long that took.
  ///
  /// @param what becomes text only where it is written
  public void step(String done, Object what) {
    if (!global.debug()) return;
    long now = System.nanoTime();
    write("debug", done + what + " (" + (now - lastNanos) / 1000 + " µs)");
    lastNanos = System.nanoTime();
  }

  /// With `--debug`: what was found.
  public void debug(String message) {
    if (global.debug()) write("debug", message);
  }

  public void warning(String message) {
    write("warning", message);
  }

  /// A failure that ends the command: written to standard error too where a file takes the records,
  /// as nobody may look there.
  void error(String message) {
    write("error", message);
    if (global.log() != null) caller.err(message + "\n");
  }

  /// A failure that ends the command, as a bare line of its program.
  void lastWord(String message) {
    if (global.log() != null) write("error", message);
    caller.err(message + "\n");
  }

  private void write(String level, String message) {
    String record = record(level, message, caller.now());
    @Nullable String file = global.log();
    if (file == null) {
      caller.err(record);
      return;
    }
    try {
      caller.appendToFile(file, record);
    } catch (RuntimeException e) {
      caller.err(record("error", "the log file: " + message(e), caller.now()));
      if (!level.equals("error")) caller.err(record);
    }
  }

  /// A line that is no record, such as of `--trace`.
  public void line(String text) {
    @Nullable String file = global.log();
    if (file == null) caller.err(text + "\n");
    else caller.appendToFile(file, text + "\n");
  }

  static String message(Throwable failure) {
    @Nullable String message = failure.getMessage();
    return message == null || message.isEmpty() ? failure.toString() : message.stripTrailing();
  }

  private String record(String level, String message, Instant now) {
    return switch (global.logFormat()) {
      case TEXT -> text(level, message, now);
      case JSON ->
          JsonObject.EMPTY
                  .with("level", Json.of(level))
                  .with("msg", Json.of(message))
                  .with("time", Json.of(time(now)))
                  .toText()
              + "\n";
    };
  }

  /// A record as a line, also for who logs for no command.
  public static String text(String level, String message, Instant now) {
    return "time=\"" + time(now) + "\" level=" + level + " msg=" + Json.of(message).toText() + "\n";
  }

  private static String time(Instant now) {
    return Rfc3339.format(Instant.ofEpochSecond(now.getEpochSecond()));
  }
}
