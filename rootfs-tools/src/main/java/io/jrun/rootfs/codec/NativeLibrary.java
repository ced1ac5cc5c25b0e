package io.jrun.rootfs.codec;

import java.nio.ByteBuffer;
import java.util.Optional;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/// A shared library that the machine may have.
final class NativeLibrary {
  private NativeLibrary() {}

  static <T> Optional<T> load(Class<T> functions, String file) {
    try {
      return Optional.of(LibraryLoader.create(functions).failImmediately().load(file));
    } catch (LinkageError e) {
      return Optional.empty(); // not installed, or another version without these functions
    }
  }

  /// Where the byte at a direct buffer's position is.
  static long address(ByteBuffer direct) {
    return Pointer.wrap(Runtime.getSystemRuntime(), direct).address();
  }
}
