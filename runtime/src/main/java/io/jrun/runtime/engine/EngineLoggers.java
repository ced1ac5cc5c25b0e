package io.jrun.runtime.engine;

import java.text.MessageFormat;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/// What the JDK's own classes have to say goes to the engine's log, from warnings on.
///
/// jffi asks for a logger when it is loaded, and the JDK then looks for one of these in every jar,
/// unless it finds one in the first.
public final class EngineLoggers extends System.LoggerFinder {
  @Override
  public System.Logger getLogger(String name, Module module) {
    return new ToStandardError(name);
  }

  private record ToStandardError(String name) implements System.Logger {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean isLoggable(Level level) {
      return level.getSeverity() >= Level.WARNING.getSeverity() && level != Level.OFF;
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String message,
        @Nullable Throwable thrown) {
      if (!isLoggable(level)) return;
      System.err.println(level + " " + name + ": " + message);
      if (thrown != null) thrown.printStackTrace();
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String format,
        @Nullable Object @Nullable ... parameters) {
      if (!isLoggable(level)) return;
      log(
          level,
          bundle,
          format == null || parameters == null ? format : MessageFormat.format(format, parameters),
          (Throwable) null);
    }
  }
}
