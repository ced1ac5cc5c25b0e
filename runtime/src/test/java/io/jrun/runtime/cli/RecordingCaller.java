package io.jrun.runtime.cli;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Keeps what is written; its ps(1) prints a fixed text and its clock stands still.
final class RecordingCaller implements Caller {
  final StringBuilder out = new StringBuilder();
  final StringBuilder err = new StringBuilder();
  final Map<String, String> files = new LinkedHashMap<>();
  final List<List<String>> commands = new ArrayList<>();
  String commandOutput = "";

  @Override
  public void out(String text) {
    out.append(text);
  }

  @Override
  public void err(String text) {
    err.append(text);
  }

  @Override
  public void appendToFile(String path, String text) {
    files.merge(path, text, String::concat);
  }

  @Override
  public String run(List<String> command) {
    commands.add(command);
    return commandOutput;
  }

  @Override
  public Instant now() {
    return Instant.parse("2026-01-02T03:04:05.678Z");
  }
}
