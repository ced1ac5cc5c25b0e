package io.jrun.kernel.process;

/// A program that could not be run to its end in its time.
public final class ProgramFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ProgramFailure(String message) {
    super(message);
  }
}
