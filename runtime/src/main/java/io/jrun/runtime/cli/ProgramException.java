package io.jrun.runtime.cli;

/// A program that was found, and that the kernel does not start. `run` and `exec` say it as the
/// program's own last word, as it is with runc: a bare line on standard error, and status 255.
public final class ProgramException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  static final int STATUS = 255;

  public ProgramException(String message) {
    super(message);
  }
}
