package io.jrun.kernel.call;

/// A file descriptor of the process that performs the call.
public sealed interface Descriptor {
  /// The working directory, in the calls whose names end in `at`.
  Descriptor CWD = new Known(-100);

  Descriptor NONE = new Known(-1);
  Descriptor STDIN = new Known(0);
  Descriptor STDOUT = new Known(1);
  Descriptor STDERR = new Known(2);

  record Known(int number) implements Descriptor {}

  /// A known directory whose path is shown with it, as strace -y does.
  record Named(int number, String path) implements Descriptor {}

  /// What an earlier call of the same batch returned.
  record ResultOf(int index) implements Descriptor {}

  /// The n-th descriptor sent along with the batch.
  record Passed(int index) implements Descriptor {}

  /// A path from here, from `/` where it is known.
  default String path(String below) {
    return this instanceof Named(int _, String path) ? path + "/" + below : below;
  }

  default String text() {
    return switch (this) {
      case Known(int number) -> number == -100 ? "AT_FDCWD" : Integer.toString(number);
      case Named(int number, String path) -> number + "<" + path + ">";
      case ResultOf(int index) -> "#" + index;
      case Passed(int index) -> "passed#" + index;
    };
  }
}
