package io.jrun.rootfs.tar;

import io.jrun.kernel.call.Names;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The records of extended headers; a later one replaces an earlier one of its key, an empty one
/// takes it away.
final class PaxRecords {
  private static final String SCHILY = "SCHILY.xattr.";

  private final Map<String, byte[]> records = new HashMap<>();
  private final List<Extent> sparse = new ArrayList<>();
  private long sparseOffset = -1;

  boolean isEmpty() {
    return records.isEmpty();
  }

  void clear() {
    records.clear();
    sparse.clear();
    sparseOffset = -1;
  }

  void addAll(PaxRecords other) {
    records.putAll(other.records);
    sparse.addAll(other.sparse);
  }

  /// Adds records of the form `length key=value newline`.
  void parse(byte[] content) {
    int at = 0;
    while (at < content.length && content[at] != 0) {
      int space = at;
      long length = 0;
      while (space < content.length && content[space] >= '0' && content[space] <= '9') {
        length = length * 10 + content[space++] - '0';
        if (length > content.length) break;
      }
      int end = (int) Math.min(at + length, Integer.MAX_VALUE);
      int equals = space + 1;
      while (equals < end && equals < content.length && content[equals] != '=') equals++;
      if (space == at
          || end > content.length
          || equals >= end
          || content[space] != ' '
          || content[end - 1] != '\n') {
        throw new TarException("an extended header is damaged");
      }
      add(
          Names.decode(content, space + 1, equals - space - 1),
          Arrays.copyOfRange(content, equals + 1, end - 1));
      at = end;
    }
  }

  private void add(String key, byte[] value) {
    switch (key) {
      case "GNU.sparse.offset" -> sparseOffset = number(key, value);
      case "GNU.sparse.numbytes" -> {
        if (sparseOffset < 0) throw new TarException("a sparse file's map is damaged");
        if (sparse.size() >= SparseMap.MOST) throw SparseMap.tooMany();
        sparse.add(new Extent(sparseOffset, number(key, value)));
        sparseOffset = -1;
      }
      default -> records.put(key, value);
    }
  }

  /// The map of GNU's format 0.0, which repeats its keys.
  List<Extent> sparse() {
    return sparse;
  }

  private static long number(String key, byte[] value) {
    try {
      return Long.parseLong(new String(value, StandardCharsets.US_ASCII));
    } catch (NumberFormatException e) {
      throw new TarException("an extended header's " + key + " is not a number");
    }
  }

  boolean has(String key) {
    byte[] value = records.get(key);
    return value != null && value.length > 0;
  }

  @Nullable String text(String key) {
    byte[] value = records.get(key);
    return value == null || value.length == 0 ? null : Names.decode(value);
  }

  long number(String key, long absent) {
    byte[] value = records.get(key);
    return value == null || value.length == 0 ? absent : number(key, value);
  }

  @Nullable Time time(String key) {
    String text = text(key);
    if (text == null) return null;
    try {
      return Time.parse(text);
    } catch (NumberFormatException e) {
      throw new TarException("an extended header's " + key + " is not a time: " + text);
    }
  }

  /// The extended attributes, access control lists in the kernel's form.
  Map<String, byte[]> xattrs() {
    Map<String, byte[]> found = Map.of();
    for (Map.Entry<String, byte[]> record : records.entrySet()) {
      String key = record.getKey();
      if (!key.startsWith("SCHILY.") || record.getValue().length == 0 && !key.startsWith(SCHILY)) {
        continue;
      }
      String name;
      byte[] value = record.getValue();
      if (key.startsWith(SCHILY)) {
        name = key.substring(SCHILY.length());
      } else if (key.equals("SCHILY.acl.access")) {
        name = "system.posix_acl_access";
        value = Acl.parse(Names.decode(value));
      } else if (key.equals("SCHILY.acl.default")) {
        name = "system.posix_acl_default";
        value = Acl.parse(Names.decode(value));
      } else {
        continue;
      }
      if (found.isEmpty()) found = new TreeMap<>();
      found.put(name, value);
    }
    return found;
  }
}
