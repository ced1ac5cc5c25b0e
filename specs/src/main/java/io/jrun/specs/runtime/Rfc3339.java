package io.jrun.specs.runtime;

import java.time.Instant;

/// Times in UTC.
///
/// The formatters of java.time know calendars and languages, and take half a megabyte of a resting
/// engine (decision 56).
public final class Rfc3339 {
  private static final int DAY = 86_400;
  private static final int SHORTEST = "2026-01-02T03:04:05Z".length();

  /// Days from 0000-03-01, where a year begins that ends with its leap day, to 1970-01-01.
  private static final long EPOCH = 719_468;

  private static final long DAYS_OF_400_YEARS = 146_097;

  private Rfc3339() {}

  /// As Go's RFC3339Nano has it: without zeros at the end of the fraction.
  public static String format(Instant time) {
    String text = fixed(time);
    int end = SHORTEST + 9;
    while (text.charAt(end - 1) == '0') end--;
    return text.substring(0, text.charAt(end - 1) == '.' ? end - 1 : end) + "Z";
  }

  /// With all nine digits of the fraction, so that records with equal content are of equal length.
  public static String fixed(Instant time) {
    long second = time.getEpochSecond();
    long fromMarch = Math.floorDiv(second, DAY) + EPOCH;
    long era = Math.floorDiv(fromMarch, DAYS_OF_400_YEARS);
    int ofEra = (int) Math.floorMod(fromMarch, DAYS_OF_400_YEARS);
    int yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365;
    int ofYear = ofEra - daysBefore(yearOfEra);
    int monthFromMarch = (5 * ofYear + 2) / 153;
    int day = ofYear - (153 * monthFromMarch + 2) / 5 + 1;
    int month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
    long year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
    int ofDay = Math.floorMod(second, DAY);
    StringBuilder text = new StringBuilder(30);
    pad(text, year, 4).append('-');
    pad(text, month, 2).append('-');
    pad(text, day, 2).append('T');
    pad(text, ofDay / 3600, 2).append(':');
    pad(text, ofDay / 60 % 60, 2).append(':');
    pad(text, ofDay % 60, 2);
    return pad(text.append('.'), time.getNano(), 9).append('Z').toString();
  }

  /// @throws IllegalArgumentException where it is no such time
  public static Instant parse(String text) {
    int end = text.length() - 1;
    boolean isShaped =
        end >= SHORTEST - 1
            && end <= SHORTEST + 9
            && text.charAt(4) == '-'
            && text.charAt(7) == '-'
            && text.charAt(10) == 'T'
            && text.charAt(13) == ':'
            && text.charAt(16) == ':'
            && text.charAt(end) == 'Z'
            && (end == SHORTEST - 1 || text.charAt(19) == '.' && end > SHORTEST);
    if (!isShaped) throw invalid(text);
    int year = number(text, 0, 4);
    int month = number(text, 5, 7);
    int day = number(text, 8, 10);
    int ofDay = 3600 * number(text, 11, 13) + 60 * number(text, 14, 16) + number(text, 17, 19);
    int nano = 0;
    if (end > SHORTEST) {
      nano = number(text, 20, end);
      for (int digits = end - 20; digits < 9; digits++) nano *= 10;
    }
    int fromMarch = month > 2 ? month - 3 : month + 9;
    int marchYear = month > 2 ? year : year - 1;
    long era = Math.floorDiv(marchYear, 400);
    long days =
        era * DAYS_OF_400_YEARS
            + daysBefore(Math.floorMod(marchYear, 400))
            + (153 * fromMarch + 2) / 5
            + day
            - 1
            - EPOCH;
    Instant time = Instant.ofEpochSecond(days * DAY + ofDay, nano);
    // the thirteenth month is one of the next year
    if (!format(time).startsWith(text.substring(0, SHORTEST - 1))) throw invalid(text);
    return time;
  }

  private static int daysBefore(int yearOfEra) {
    return 365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100;
  }

  private static StringBuilder pad(StringBuilder text, long number, int digits) {
    String written = Long.toString(number);
    for (int i = written.length(); i < digits; i++) text.append('0');
    return text.append(written);
  }

  private static int number(String text, int from, int to) {
    int number = 0;
    for (int i = from; i < to; i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) throw invalid(text);
      number = number * 10 + digit;
    }
    return number;
  }

  private static IllegalArgumentException invalid(String text) {
    return new IllegalArgumentException("no time in UTC: \"" + text + "\"");
  }
}
