package io.jrun.runtime.shim;

import io.jrun.kernel.IoReason;
import io.jrun.kernel.wire.KeeperExit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// The file in which a keeper writes down which of its children have ended.
final class ExitFile implements AutoCloseable {
  private static final int RECORD = 32;

  private final FileChannel channel;

  ExitFile(Path path) {
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ);
    } catch (IOException e) {
      throw new UncheckedIOException("opening " + path + ": " + IoReason.of(e), e);
    }
  }

  List<KeeperExit> all() {
    return read(0);
  }

  /// The number of the last one; 0 where the file has none.
  long last() {
    try {
      List<KeeperExit> exits = read(Math.max(0, channel.size() / RECORD - 1) * RECORD);
      return exits.isEmpty() ? 0 : exits.getLast().sequence();
    } catch (IOException e) {
      throw new UncheckedIOException("reading the keeper's exits: " + IoReason.of(e), e);
    }
  }

  private List<KeeperExit> read(long from) {
    try {
      ByteBuffer bytes = ByteBuffer.allocate((int) Math.max(0, channel.size() - from));
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, from + bytes.position()) < 0) break;
      }
      return KeeperExit.all(java.util.Arrays.copyOf(bytes.array(), bytes.position()));
    } catch (IOException e) {
      throw new UncheckedIOException("reading the keeper's exits: " + IoReason.of(e), e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException("closing the keeper's exits: " + IoReason.of(e), e);
    }
  }
}
