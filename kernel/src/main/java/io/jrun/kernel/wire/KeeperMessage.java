package io.jrun.kernel.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// What a keeper tells its engine, by protocol.h.
public sealed interface KeeperMessage {
  /// Always the first message.
  record Attach(KeeperState state) implements KeeperMessage {}

  /// A ttrpc frame that came over a connection.
  ///
  /// @param isReplayed whether an engine before may have seen it
  /// @param isOversized its data was too long and is not there
  record Frame(int connection, int stream, boolean isReplayed, boolean isOversized, byte[] bytes)
      implements KeeperMessage {}

  /// A connection has ended.
  record Closed(int connection) implements KeeperMessage {}

  /// A child was reaped.
  record Exited(KeeperExit exit) implements KeeperMessage {}

  /// It was asked to open something.
  ///
  /// @param errno 0 where it did
  record Opened(int number, int errno) implements KeeperMessage {}

  /// @param message with its header
  static KeeperMessage read(byte[] message) {
    ByteBuffer buffer = ByteBuffer.wrap(message).order(ByteOrder.nativeOrder());
    int kind = buffer.getShort(4);
    int flags = buffer.getShort(6);
    int connection = buffer.getInt(8);
    byte[] data = new byte[message.length - Protocol.KEEPER_MESSAGE_SIZE];
    buffer.get(Protocol.KEEPER_MESSAGE_SIZE, data);
    return switch (kind) {
      case Protocol.KEEPER_ATTACH -> new Attach(KeeperState.read(data));
      case Protocol.KEEPER_FRAME ->
          new Frame(
              connection,
              buffer.getInt(12),
              (flags & Protocol.KEEPER_REPLAYED) != 0,
              (flags & Protocol.KEEPER_OVERSIZED) != 0,
              data);
      case Protocol.KEEPER_OPENED -> new Opened(buffer.getInt(12), connection);
      case Protocol.KEEPER_CLOSED -> new Closed(connection);
      case Protocol.KEEPER_EXITED ->
          new Exited(KeeperExit.read(ByteBuffer.wrap(data).order(ByteOrder.nativeOrder())));
      default -> throw new IllegalArgumentException("a keeper's message of kind " + kind);
    };
  }
}
