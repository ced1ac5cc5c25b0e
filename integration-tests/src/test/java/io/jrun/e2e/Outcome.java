package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/// What a finished command left: its exit status, standard output and standard error.
record Outcome(List<String> command, int status, String out, String err) {

  /// Asserts success and returns this.
  Outcome succeeds() {
    return exits(0);
  }

  /// Asserts one exit status and returns this.
  Outcome exits(int expected) {
    assertThat(status).as("exit status of %s", this).isEqualTo(expected);
    return this;
  }

  /// Asserts any exit status but zero, and something said on standard error.
  Outcome fails() {
    assertThat(status).as("exit status of %s", this).isNotZero();
    assertThat(err).as("standard error of %s", this).isNotBlank();
    return this;
  }

  /// Asserts exit status 1 with exactly one line on standard error, which contains each of the
  /// words.
  Outcome failsInOneLine(String... words) {
    exits(1);
    assertThat(err.strip().lines().toList()).as("standard error of %s", this).hasSize(1);
    assertThat(List.of(words)).allSatisfy(word -> assertThat(err).contains(word));
    return this;
  }

  /// Standard output without the white space around it.
  String text() {
    return out.strip();
  }

  List<String> lines() {
    return out.lines().toList();
  }
}
