package io.jrun.runtime.cli;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/// Shows a failure as runc does: one record in the log, and when the log is a file also one plain
/// line on standard error.
record ErrorReport(GlobalOptions global, Caller caller) {
  void show(Throwable failure) {
    String message = message(failure);
    String record = record(message, caller.now());
    @Nullable String log = global.log();
    if (log == null) {
      caller.err(record);
      return;
    }
    try {
      caller.appendToFile(log, record);
    } catch (RuntimeException e) {
      caller.err(record("the log file: " + message(e), caller.now()));
    }
    caller.err(message + "\n");
  }

  private static String message(Throwable failure) {
    @Nullable String message = failure.getMessage();
    return message == null || message.isEmpty() ? failure.toString() : message.stripTrailing();
  }

  private String record(String message, Instant now) {
    String time =
        DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
            now.truncatedTo(ChronoUnit.SECONDS).atOffset(ZoneOffset.UTC));
    return switch (global.logFormat()) {
      case TEXT -> "time=\"" + time + "\" level=error msg=" + Json.of(message).toText() + "\n";
      case JSON ->
          JsonObject.EMPTY
                  .with("level", Json.of("error"))
                  .with("msg", Json.of(message))
                  .with("time", Json.of(time))
                  .toText()
              + "\n";
    };
  }
}
