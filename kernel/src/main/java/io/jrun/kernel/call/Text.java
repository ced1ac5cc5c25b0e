package io.jrun.kernel.call;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A call in words, as strace prints it.
final class Text implements Arguments, Struct {
  private static final int SHOWN = 64;

  private StringJoiner joiner;

  private Text(String before, String after) {
    joiner = new StringJoiner(", ", before, after);
  }

  static String of(Syscall<?> call) {
    Text text = new Text(call.number().name().toLowerCase(Locale.ROOT) + "(", ")");
    call.arguments(text);
    return text.joiner.toString();
  }

  private Text add(String text) {
    joiner.add(text);
    return this;
  }

  private Text add(String name, String text) {
    joiner.add(name + "=" + text);
    return this;
  }

  private static String quoted(String string) {
    return '"' + string.replace("\\", "\\\\").replace("\n", "\\n").replace("\"", "\\\"") + '"';
  }

  private static String quoted(byte[] bytes) {
    boolean printable = true;
    for (byte b : bytes) printable &= b >= ' ' && b < 127 || b == '\n' || b == '\t';
    if (!printable) return "<" + bytes.length + " bytes>";
    String string = new String(bytes, StandardCharsets.US_ASCII);
    return string.length() <= SHOWN ? quoted(string) : quoted(string.substring(0, SHOWN)) + "...";
  }

  @Override
  public Text value(long value) {
    return add(Long.toString(value));
  }

  @Override
  public Text flags(Flags names, long value) {
    return add(names.text(value));
  }

  @Override
  public Text octal(int mode) {
    return add("0" + Integer.toOctalString(mode));
  }

  @Override
  public Text descriptor(Descriptor descriptor) {
    return add(descriptor.text());
  }

  @Override
  public Text string(@Nullable String string) {
    return add(string == null ? "NULL" : quoted(string));
  }

  @Override
  public Text bytes(byte @Nullable [] bytes) {
    return add(bytes == null ? "NULL" : quoted(bytes));
  }

  @Override
  public Text strings(List<String> strings) {
    StringJoiner list = new StringJoiner(", ", "[", "]");
    for (String string : strings) list.add(quoted(string));
    return add(list.length() > 4 * SHOWN ? "[" + strings.size() + " strings]" : list.toString());
  }

  @Override
  public Text out(int size) {
    return add("<out " + size + ">");
  }

  @Override
  public Text struct(Consumer<Struct> struct) {
    StringJoiner outer = joiner;
    joiner = new StringJoiner(", ", "{", "}");
    struct.accept(this);
    outer.add(joiner.toString());
    joiner = outer;
    return this;
  }

  @Override
  public Text u8(String name, int value) {
    return add(name, Integer.toString(value));
  }

  @Override
  public Text u16(String name, int value) {
    return add(name, Integer.toString(value));
  }

  @Override
  public Text u32(String name, long value) {
    return add(name, Long.toString(value));
  }

  @Override
  public Text u32s(String name, List<Integer> values) {
    if (values.size() > SHOWN) return add(name, "<" + values.size() + " numbers>");
    for (int value : values) u32(name, value);
    return this;
  }

  @Override
  public Text u64(String name, long value) {
    return value == 0 && name.isEmpty() ? this : add(name, Long.toString(value));
  }

  @Override
  public Text flags32(String name, Flags names, long value) {
    return add(name, names.text(value));
  }

  @Override
  public Text flags64(String name, Flags names, long value) {
    return add(name, names.text(value));
  }

  @Override
  public Text descriptor32(String name, Descriptor descriptor) {
    return add(name, descriptor.text());
  }

  @Override
  public Text pointer(String name, byte[] bytes) {
    return add(name, quoted(bytes));
  }

  @Override
  public Text out(String name, int size) {
    return add(name, "<out " + size + ">");
  }

  @Override
  public Text iovec(String name, byte[] bytes, int size) {
    return add(name, quoted(Arrays.copyOf(bytes, size)));
  }

  @Override
  public Text iovecOut(String name, int size) {
    return add(name, "<out " + size + ">");
  }

  @Override
  public Text raw(String name, byte[] bytes) {
    return add(name, quoted(bytes));
  }
}
