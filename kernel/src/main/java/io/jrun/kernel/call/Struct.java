package io.jrun.kernel.call;

import java.util.List;

/// Receives a structure's fields in memory order; padding is the caller's to write.
public interface Struct {
  Struct u8(String name, int value);

  Struct u16(String name, int value);

  Struct u32(String name, long value);

  Struct u64(String name, long value);

  Struct flags32(String name, Flags names, long value);

  Struct flags64(String name, Flags names, long value);

  Struct descriptor32(String name, Descriptor descriptor);

  /// A pointer to these bytes.
  Struct pointer(String name, byte[] bytes);

  /// A pointer to space that the kernel writes.
  Struct out(String name, int size);

  /// A pointer to one iovec of the first `size` of these bytes.
  Struct iovec(String name, byte[] bytes, int size);

  /// A pointer to one iovec of so many bytes for the kernel to write.
  Struct iovecOut(String name, int size);

  /// These bytes in place.
  Struct raw(String name, byte[] bytes);

  default Struct u32s(String name, List<Integer> values) {
    for (int value : values) u32(name, value);
    return this;
  }
}
