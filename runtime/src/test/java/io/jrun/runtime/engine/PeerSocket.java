package io.jrun.runtime.engine;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/// Who takes a console, a pidfd or a seccomp listener: it reads each connection to its end, and
/// drops the descriptors that come along.
final class PeerSocket implements AutoCloseable {
  private final Path path;
  private final ServerSocketChannel listener;
  private final Thread thread;

  PeerSocket(Path path) throws IOException {
    this.path = path;
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(path));
    thread = Thread.ofPlatform().daemon(true).name("peer-socket").start(this::serve);
  }

  private void serve() {
    ByteBuffer buffer = ByteBuffer.allocate(65536);
    while (true) {
      try (SocketChannel peer = listener.accept()) {
        while (peer.read(buffer.clear()) > 0) buffer.clear();
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        // the other end has gone
      }
    }
  }

  @Override
  public void close() throws IOException, InterruptedException {
    listener.close();
    thread.join();
    Files.deleteIfExists(path);
  }
}
