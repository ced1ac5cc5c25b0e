package io.jrun.specs.task;

import java.util.LinkedHashMap;
import java.util.Map;

/// The options of a handler in containerd's configuration, as TOML: what containerd since 1.7 sends
/// to a shim of a type that it does not know (`config_body` of `runtimeoptions.v1.Options`). A flat
/// table of booleans, whole numbers and strings of one line, which is all that runc's options need.
final class OptionsTable {
  private final Map<String, Object> values = new LinkedHashMap<>();

  /// @throws IllegalArgumentException on a line that is none of that
  static OptionsTable parse(String toml) {
    OptionsTable table = new OptionsTable();
    for (String line : toml.split("\n", -1)) table.add(line.strip());
    return table;
  }

  private void add(String line) {
    if (line.isEmpty() || line.startsWith("#")) return;
    int equals = line.indexOf('=');
    if (equals < 1) throw malformed(line);
    values.put(line.substring(0, equals).strip(), value(line, line.substring(equals + 1).strip()));
  }

  private static Object value(String line, String text) {
    if (text.equals("true") || text.equals("false")) return text.equals("true");
    if (text.matches("[0-9]{1,10}")) return Long.parseLong(text);
    char quote = text.isEmpty() ? ' ' : text.charAt(0);
    boolean quoted = quote == '"' || quote == '\'';
    int end = text.length() - 1;
    // an escape is no part of any path or name that stands here
    if (!quoted || end < 1 || text.indexOf(quote, 1) != end || quote == '"' && text.contains("\\"))
      throw malformed(line);
    return text.substring(1, end);
  }

  private static IllegalArgumentException malformed(String line) {
    return new IllegalArgumentException("runtime options: not an option's name and value: " + line);
  }

  /// Takes the option out; false where it is missing.
  boolean takeFlag(String name) {
    return take(name, Boolean.class, false);
  }

  /// Takes the option out; 0 where it is missing.
  ///
  /// @return an unsigned number of 32 bits
  int takeNumber(String name) {
    long number = take(name, Long.class, 0L);
    if (number > 0xffff_ffffL)
      throw new IllegalArgumentException("runtime options: " + name + " is too large: " + number);
    return (int) number;
  }

  /// Takes the option out; empty where it is missing.
  String takeText(String name) {
    return take(name, String.class, "");
  }

  private <T> T take(String name, Class<T> type, T missing) {
    Object value = values.remove(name);
    if (value == null) return missing;
    if (!type.isInstance(value))
      throw new IllegalArgumentException("runtime options: the wrong type of value for " + name);
    return type.cast(value);
  }

  /// @throws IllegalArgumentException where there are options that nobody has taken
  void end() {
    if (!values.isEmpty())
      throw new IllegalArgumentException("runtime options: unknown to jrun: " + values.keySet());
  }
}
