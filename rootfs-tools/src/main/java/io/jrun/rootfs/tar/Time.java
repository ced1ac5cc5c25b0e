package io.jrun.rootfs.tar;

/// A point in time: seconds since the epoch, and nanoseconds from 0 to 999,999,999 after them.
public record Time(long seconds, int nanos) {
  /// A PAX time, such as `-1.25`; digits after the ninth are dropped.
  ///
  /// @throws NumberFormatException when it is none
  static Time parse(String text) {
    int dot = text.indexOf('.');
    if (dot < 0) return new Time(Long.parseLong(text), 0);
    boolean negative = text.startsWith("-");
    String whole = text.substring(0, dot);
    long seconds = whole.isEmpty() || whole.equals("-") ? 0 : Long.parseLong(whole);
    String fraction = text.substring(dot + 1);
    if (fraction.length() > 9) fraction = fraction.substring(0, 9);
    int nanos = fraction.isEmpty() ? 0 : Integer.parseUnsignedInt(fraction);
    for (int i = fraction.length(); i < 9; i++) nanos *= 10;
    if (negative && nanos > 0) return new Time(seconds - 1, 1_000_000_000 - nanos);
    return new Time(seconds, nanos);
  }
}
