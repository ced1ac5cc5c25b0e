package io.jrun.kernel.call;

import java.util.List;
import java.util.StringJoiner;

/// Names for the bits, or for the values, of an argument.
///
/// @param mask the bits whose value as a whole is named (such as O_ACCMODE); zero where every name
///   is a bit
public record Flags(long mask, List<Name> names) {
  /// A bit or value and its name.
  public record Name(long value, String name) {}

  public Flags {
    names = List.copyOf(names);
  }

  static Flags bits(Object... valuesAndNames) {
    return masked(0, valuesAndNames);
  }

  static Flags values(Object... valuesAndNames) {
    return masked(-1, valuesAndNames);
  }

  static Flags masked(long mask, Object... valuesAndNames) {
    Name[] names = new Name[valuesAndNames.length / 2];
    for (int i = 0; i < names.length; i++) {
      names[i] =
          new Name(
              ((java.lang.Number) valuesAndNames[2 * i]).longValue(),
              (String) valuesAndNames[2 * i + 1]);
    }
    return new Flags(mask, List.of(names));
  }

  public String text(long value) {
    StringJoiner text = new StringJoiner("|");
    long rest = value;
    for (Name name : names) {
      boolean masked = (name.value & ~mask) == 0 && mask != 0;
      if (masked
          ? (value & mask) == name.value
          : name.value != 0 && (rest & name.value) == name.value) {
        text.add(name.name);
        if (!masked) rest &= ~name.value;
      }
    }
    rest &= ~mask;
    if (rest != 0) text.add("0x" + Long.toHexString(rest));
    return text.length() == 0 ? Long.toString(value) : text.toString();
  }
}
