package io.jrun.kernel.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// The end of a keeper's child, in a message and in the keeper's file of exits.
///
/// @param sequence counts the keeper's exits from 1 on
/// @param waitStatus as wait4(2) tells it
/// @param executed whether the child had run a program since it was forked
public record KeeperExit(long sequence, int pid, int waitStatus, Instant at, boolean executed) {
  static KeeperExit read(ByteBuffer from) {
    return new KeeperExit(
        from.getLong(),
        from.getInt(),
        from.getInt(),
        Instant.ofEpochSecond(from.getLong(), from.getInt()),
        from.getInt() != 0);
  }

  /// The records of a file; a record that a crash cut short is dropped.
  public static List<KeeperExit> all(byte[] file) {
    ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.nativeOrder());
    List<KeeperExit> exits = new ArrayList<>();
    while (buffer.remaining() >= Protocol.KEEPER_EXIT_SIZE) exits.add(read(buffer));
    return exits;
  }

  /// The exit status as a shell would say it: 128 + n for a signal.
  public int status() {
    int signal = waitStatus & 0x7f;
    return signal != 0 ? 128 + signal : waitStatus >> 8 & 0xff;
  }
}
