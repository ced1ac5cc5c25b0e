package io.jrun.runtime.cli;

/// How `--log-format` writes a record.
public enum LogFormat {
  TEXT,
  JSON
}
