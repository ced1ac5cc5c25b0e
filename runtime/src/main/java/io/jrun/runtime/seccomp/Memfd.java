package io.jrun.runtime.seccomp;

import io.jrun.kernel.host.NativeLibrary;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// A file in memory that a C library writes to (memfd_create(2)).
final class Memfd implements AutoCloseable {
  private static final int MFD_CLOEXEC = 1;
  private static final int SEEK_END = 2;

  private final NativeLibrary libc;
  private final int fd;

  private Memfd(NativeLibrary libc, int fd) {
    this.libc = libc;
    this.fd = fd;
  }

  /// The functions of libc that this needs.
  static NativeLibrary libc() {
    return NativeLibrary.open("libc.so.6", "memfd_create", "lseek", "pread", "close").orElseThrow();
  }

  static Memfd create(NativeLibrary libc) {
    ByteBuffer name =
        ByteBuffer.allocateDirect(8).put("seccomp\0".getBytes(StandardCharsets.US_ASCII));
    int fd = libc.callInt("memfd_create", NativeLibrary.address(name), MFD_CLOEXEC);
    Reference.reachabilityFence(name);
    if (fd < 0) throw failed("memfd_create");
    return new Memfd(libc, fd);
  }

  int fd() {
    return fd;
  }

  byte[] content() {
    int size = libc.callInt("lseek", fd, 0, SEEK_END);
    ByteBuffer content = ByteBuffer.allocateDirect(Math.max(size, 0));
    int count = libc.callInt("pread", fd, NativeLibrary.address(content), size, 0);
    if (count != size) throw failed("pread");
    byte[] bytes = new byte[size];
    content.get(bytes);
    return bytes;
  }

  private static SeccompException failed(String call) {
    return new SeccompException("seccomp: " + call + ": errno " + NativeLibrary.errno());
  }

  @Override
  public void close() {
    libc.callInt("close", fd);
  }
}
