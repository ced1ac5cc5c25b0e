package io.jrun.runtime.seccomp;

import java.util.List;

/// The flags of seccomp(2)'s SECCOMP_SET_MODE_FILTER.
final class FilterFlag {
  static final int LOG = 1 << 1;
  static final int SPEC_ALLOW = 1 << 2;
  static final int NEW_LISTENER = 1 << 3;
  static final int WAIT_KILLABLE_RECV = 1 << 5;

  private FilterFlag() {}

  /// TSYNC counts for nothing, as the process has one thread when it loads its filter.
  static int parse(List<String> names) {
    int flags = 0;
    for (String name : names) {
      flags |=
          switch (name) {
            case "SECCOMP_FILTER_FLAG_TSYNC" -> 0;
            case "SECCOMP_FILTER_FLAG_LOG" -> LOG;
            case "SECCOMP_FILTER_FLAG_SPEC_ALLOW" -> SPEC_ALLOW;
            case "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" -> WAIT_KILLABLE_RECV;
            default -> throw new SeccompException("seccomp: unknown flag \"" + name + "\"");
          };
    }
    return flags;
  }
}
