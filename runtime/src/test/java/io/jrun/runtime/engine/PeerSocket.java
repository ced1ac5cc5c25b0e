package io.jrun.runtime.engine;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/// Who takes a console, a pidfd or a seccomp listener: what comes waits here to be accepted, and is
/// held until then, as by those who use it. A console that nobody held would hang up, and init end.
final class PeerSocket implements AutoCloseable {
  /// More than a sweep has commands.
  private static final int BACKLOG = 4096;

  private final Path path;
  private final ServerSocketChannel listener;

  PeerSocket(Path path) throws IOException {
    this.path = path;
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(path), BACKLOG);
  }

  @Override
  public void close() throws IOException {
    listener.close();
    Files.deleteIfExists(path);
  }
}
