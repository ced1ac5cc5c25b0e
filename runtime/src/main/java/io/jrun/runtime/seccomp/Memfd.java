package io.jrun.runtime.seccomp;

import io.jrun.kernel.host.NativeLibrary;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A file in memory that a C library writes to (memfd_create(2)).
final class Memfd implements AutoCloseable {
  private static final byte[] NAME = "seccomp\0".getBytes(StandardCharsets.US_ASCII);
  private static final int MFD_CLOEXEC = 1;
  private static final int CHUNK = 1 << 16;

  private final NativeLibrary libc;
  private final int fd;

  private Memfd(NativeLibrary libc, int fd) {
    this.libc = libc;
    this.fd = fd;
  }

  static NativeLibrary libc() {
    return NativeLibrary.open("libc.so.6", "memfd_create", "pread", "close").orElseThrow();
  }

  static Memfd create(NativeLibrary libc) {
    ByteBuffer name = ByteBuffer.allocateDirect(NAME.length).put(NAME);
    int fd = libc.callInt("memfd_create", NativeLibrary.address(name), MFD_CLOEXEC);
    if (fd < 0) {
      throw failed("memfd_create");
    }
    return new Memfd(libc, fd);
  }

  int fd() {
    return fd;
  }

  byte[] content() {
    byte[] content = new byte[0];
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
    while (true) {
      long count = libc.call("pread", fd, NativeLibrary.address(chunk), CHUNK, content.length);
      if (count < 0) {
        throw failed("pread");
      }
      if (count == 0) {
        return content;
      }
      int end = content.length;
      content = Arrays.copyOf(content, end + (int) count);
      chunk.get(0, content, end, (int) count);
    }
  }

  private static SeccompException failed(String call) {
    return new SeccompException("seccomp: " + call + ": errno " + NativeLibrary.errno());
  }

  @Override
  public void close() {
    libc.callInt("close", fd);
  }
}
