package io.jrun.runtime.rehearsal;

import io.jrun.kernel.call.Output;
import io.jrun.kernel.call.Stat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// A file's status as statx(2) writes it.
final class StatBytes {
  private static final int SIZE = 256;

  private StatBytes() {}

  static Pretended of(Stat stat) {
    ByteBuffer b = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());
    b.putInt(16, 1).putInt(20, stat.uid()).putInt(24, stat.gid()).putShort(28, (short) stat.mode());
    b.putLong(32, stat.inode()).putLong(40, stat.size());
    b.putInt(128, stat.rdevMajor()).putInt(132, stat.rdevMinor());
    b.putInt(136, stat.deviceMajor()).putInt(140, stat.deviceMinor());
    return new Pretended(0, new Output(b.array(), 0, SIZE));
  }
}
