package io.jrun.runtime.dbus;

import org.jspecify.annotations.Nullable;

/// A connection that cannot be made or used, or a call that the other side refused.
public final class DBusException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String name;

  /// @param name of the error, such as `org.freedesktop.systemd1.NoSuchUnit`; empty for one of the
  ///   connection
  public DBusException(String name, String message) {
    super(name.isEmpty() ? message : message + " (" + name + ")");
    this.name = name;
  }

  DBusException(String message, @Nullable Throwable cause) {
    super(cause == null ? message : message + ": " + cause.getMessage(), cause);
    this.name = "";
  }

  /// The name of the error that the other side answered; empty where it did not answer.
  public String name() {
    return name;
  }
}
