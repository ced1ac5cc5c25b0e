package io.jrun.runtime.cli;

import java.util.List;

/// One parsed command with what it needs to be performed.
record Request(GlobalOptions global, ParsedLine line, Operations operations, Caller caller) {
  String id() {
    return line.arguments().getFirst();
  }

  /// The arguments after the first.
  List<String> rest() {
    return line.arguments().subList(1, line.arguments().size());
  }

  void print(String text) {
    caller.out(text.endsWith("\n") ? text : text + "\n");
  }
}
