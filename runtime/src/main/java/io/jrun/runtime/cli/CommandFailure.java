package io.jrun.runtime.cli;

/// A failure whose message and exit status are decided.
final class CommandFailure extends RuntimeException {
  /// runc's status for a command that does not exist.
  static final int UNKNOWN_COMMAND = 3;

  private final int status;

  CommandFailure(int status, String message) {
    super(message);
    this.status = status;
  }

  CommandFailure(int status, String message, Throwable cause) {
    super(message, cause);
    this.status = status;
  }

  /// A command line that is wrong.
  static CommandFailure usage(String message) {
    return new CommandFailure(1, message);
  }

  int status() {
    return status;
  }
}
