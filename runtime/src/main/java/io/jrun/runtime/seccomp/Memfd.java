package io.jrun.runtime.seccomp;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;
import jnr.ffi.annotations.Out;
import jnr.ffi.types.off_t;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;

/// A file in memory that a C library writes to (memfd_create(2)).
final class Memfd implements AutoCloseable {
  /// The functions of libc that this needs.
  public interface Libc {
    int memfd_create(byte[] name, int flags);

    @ssize_t
    long pread(int fd, @Out byte[] buffer, @size_t long count, @off_t long offset);

    int close(int fd);
  }

  private static final int MFD_CLOEXEC = 1;
  private static final int CHUNK = 1 << 16;

  private final Libc libc;
  private final int fd;

  private Memfd(Libc libc, int fd) {
    this.libc = libc;
    this.fd = fd;
  }

  static Libc libc() {
    return LibraryLoader.create(Libc.class).failImmediately().load("libc.so.6");
  }

  static Memfd create(Libc libc) {
    int fd = libc.memfd_create("seccomp\0".getBytes(StandardCharsets.US_ASCII), MFD_CLOEXEC);
    if (fd < 0) {
      throw failed("memfd_create", libc);
    }
    return new Memfd(libc, fd);
  }

  int fd() {
    return fd;
  }

  byte[] content() {
    byte[] content = new byte[0];
    byte[] chunk = new byte[CHUNK];
    while (true) {
      long count = libc.pread(fd, chunk, chunk.length, content.length);
      if (count < 0) {
        throw failed("pread", libc);
      }
      if (count == 0) {
        return content;
      }
      int end = content.length;
      content = Arrays.copyOf(content, end + (int) count);
      System.arraycopy(chunk, 0, content, end, (int) count);
    }
  }

  private static SeccompException failed(String call, Libc libc) {
    return new SeccompException(
        "seccomp: " + call + ": errno " + Runtime.getRuntime(libc).getLastError());
  }

  @Override
  public void close() {
    libc.close(fd);
  }
}
