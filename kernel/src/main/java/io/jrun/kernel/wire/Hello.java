package io.jrun.kernel.wire;

import java.util.List;

/// The first message of a client: its command line and its environment.
public record Hello(List<String> argv, List<String> env) {
  public Hello {
    argv = List.copyOf(argv);
    env = List.copyOf(env);
  }
}
