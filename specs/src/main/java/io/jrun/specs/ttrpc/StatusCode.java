package io.jrun.specs.ttrpc;

/// The codes of google.rpc.Status, in the order of their numbers.
public enum StatusCode {
  OK,
  CANCELLED,
  UNKNOWN,
  INVALID_ARGUMENT,
  DEADLINE_EXCEEDED,
  NOT_FOUND,
  ALREADY_EXISTS,
  PERMISSION_DENIED,
  RESOURCE_EXHAUSTED,
  FAILED_PRECONDITION,
  ABORTED,
  OUT_OF_RANGE,
  UNIMPLEMENTED,
  INTERNAL,
  UNAVAILABLE,
  DATA_LOSS,
  UNAUTHENTICATED;

  private static final StatusCode[] ALL = values();

  @SuppressWarnings("EnumOrdinal") // they are written down in that order
  public int value() {
    return ordinal();
  }

  /// UNKNOWN for a number that is none.
  public static StatusCode of(int value) {
    return value >= 0 && value < ALL.length ? ALL[value] : UNKNOWN;
  }
}
