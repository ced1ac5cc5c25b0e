package io.jrun.cni.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Attributes by their type; of several with one type the last counts. One that is damaged ends
/// them: what came before it stays.
public final class Attributes {
  private static final int TYPE = 0x3fff;

  private final Map<Integer, byte[]> values;

  private Attributes(Map<Integer, byte[]> values) {
    this.values = values;
  }

  static Attributes parse(byte[] bytes, int from, int to) {
    Map<Integer, byte[]> values = new HashMap<>();
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    int at = from;
    while (at + 4 <= to) {
      int length = buffer.getShort(at) & 0xffff;
      if (length < 4 || length > to - at) break;
      values.put(buffer.getShort(at + 2) & TYPE, Arrays.copyOfRange(bytes, at + 4, at + length));
      at += length + 3 & -4;
    }
    return new Attributes(values);
  }

  public boolean has(int type) {
    return values.containsKey(type);
  }

  public byte @Nullable [] bytes(int type) {
    return values.get(type);
  }

  /// A 32-bit number; `absent` where it is missing or of another size.
  public int u32(int type, int absent) {
    byte[] value = values.get(type);
    return value == null || value.length < 4
        ? absent
        : ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()).getInt();
  }

  public int u8(int type, int absent) {
    byte[] value = values.get(type);
    return value == null || value.length < 1 ? absent : value[0] & 255;
  }

  /// A string without its NUL; empty where it is missing.
  public String string(int type) {
    byte[] value = values.get(type);
    if (value == null) return "";
    int end = 0;
    while (end < value.length && value[end] != 0) end++;
    return new String(value, 0, end, StandardCharsets.UTF_8);
  }

  public Attributes nested(int type) {
    byte[] value = values.get(type);
    return value == null ? new Attributes(Map.of()) : parse(value, 0, value.length);
  }
}
