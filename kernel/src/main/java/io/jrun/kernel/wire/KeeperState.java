package io.jrun.kernel.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// What a keeper reports to each engine that it connects to.
///
/// @param sent the last stream that was sent on its outgoing connection
/// @param released the last stream of it that was released
/// @param isOutgoing whether that connection is open
/// @param hasAnswer whether an answer from there is kept
/// @param hasRequest whether a request of a client is kept, which no engine has answered
/// @param sequence of its last exit
/// @param exeInode, exeSize, exeSeconds of the program that it runs
/// @param socket the path it listens on
public record KeeperState(
    int pid,
    int sent,
    int released,
    boolean isOutgoing,
    boolean hasAnswer,
    boolean hasRequest,
    long sequence,
    long exeInode,
    long exeSize,
    long exeSeconds,
    String socket) {
  public static KeeperState read(byte[] bytes) {
    if (bytes.length < Protocol.KEEPER_STATE_SIZE)
      throw new IllegalArgumentException("a keeper's state is short");
    ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    int pid = from.getInt();
    int sent = from.getInt();
    int released = from.getInt();
    int outgoing = from.getInt();
    return new KeeperState(
        pid,
        sent,
        released,
        (outgoing & 1) != 0,
        (outgoing & 2) != 0,
        (outgoing & 4) != 0,
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        new String(
            bytes,
            Protocol.KEEPER_STATE_SIZE,
            bytes.length - Protocol.KEEPER_STATE_SIZE,
            StandardCharsets.UTF_8));
  }
}
