package io.jrun.kernel;

/// Steps that undo what was begun: each is taken whatever becomes of the others, and what they fail
/// with goes along with the cause, in its place never.
public final class Undoing {
  private Undoing() {}

  public static void suppressing(RuntimeException cause, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }
}
