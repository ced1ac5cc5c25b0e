package io.jrun.kernel.call;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Receives a call's arguments in their order: lays them out, or prints them.
public interface Arguments {
  Arguments value(long value);

  Arguments flags(Flags names, long value);

  Arguments octal(int mode);

  Arguments descriptor(Descriptor descriptor);

  /// A pointer to a string ended by NUL; null is the null pointer.
  Arguments string(@Nullable String string);

  /// A pointer to these bytes; null is the null pointer.
  Arguments bytes(byte @Nullable [] bytes);

  /// A pointer to a null-terminated array of strings.
  Arguments strings(List<String> strings);

  /// A pointer to so many bytes for the kernel to write; see [Output].
  Arguments out(int size);

  /// A pointer to a structure.
  Arguments struct(Consumer<Struct> struct);
}
