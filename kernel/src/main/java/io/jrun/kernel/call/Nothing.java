package io.jrun.kernel.call;

/// What a call returns that returns nothing.
public enum Nothing {
  NOTHING
}
