package io.jrun.runtime.rehearsal;

import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.Output;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.call.Syscall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// What a call that was not made would have returned, had it succeeded.
///
/// @param value the kernel's
/// @param output what it wrote: zeros, apart from what somebody looks at
record Pretended(long value, Output output) {
  /// As much as any call of a container's making asks for.
  private static final int ROOM = 1 << 17;

  /// An output of zeros, shared by all calls whose output is not looked at.
  private static final Output ZEROS = new Output(new byte[ROOM], 0, ROOM);

  private static final int STATUS = 256;
  private static final int DEVPTS_MAGIC = 0x1cd1;

  static Pretended number(long value) {
    return new Pretended(value, ZEROS);
  }

  /// A call that wrote these bytes.
  static Pretended bytes(byte[] bytes) {
    return new Pretended(bytes.length, new Output(bytes.clone(), 0, bytes.length));
  }

  static Pretended errno(int errno) {
    return number(-errno);
  }

  /// The answer for a call of which nothing more is known.
  static Pretended of(Syscall<?> call, Rehearsal rehearsal) {
    return switch (call) {
      case FileCall.Fstatfs statfs -> first(DEVPTS_MAGIC);
      case FileCall.Statx statx -> terminalMultiplexer();
      case FileCall.Write write -> number(write.bytes().length);
      case FileCall.Pwrite write -> number(write.bytes().length);
      case DescriptorCall.Poll poll -> number(1);
      case IoctlCall.Ioctl ioctl -> number(rehearsal.nextDescriptor());
      default ->
          number(isDescriptor(call) || call.returnsDescriptor() ? rehearsal.nextDescriptor() : 0);
    };
  }

  private static boolean isDescriptor(Syscall<?> call) {
    try {
      return call.result(0, ZEROS) instanceof io.jrun.kernel.call.Descriptor;
    } catch (RuntimeException e) {
      return false; // its result is made of what the kernel wrote
    }
  }

  private static Pretended first(long value) {
    byte[] room = new byte[STATUS];
    ByteBuffer.wrap(room).order(ByteOrder.nativeOrder()).putLong(value);
    return new Pretended(0, new Output(room, 0, STATUS));
  }

  /// struct statx of /dev/pts/ptmx, the only file that is looked at through a pretended descriptor
  /// for more than its being there.
  private static Pretended terminalMultiplexer() {
    byte[] room = new byte[STATUS];
    ByteBuffer b = ByteBuffer.wrap(room).order(ByteOrder.nativeOrder());
    b.putInt(16, 1).putShort(28, (short) (Stat.S_IFCHR | 0666)).putLong(32, 2);
    b.putInt(128, 5).putInt(132, 2);
    return new Pretended(0, new Output(room, 0, STATUS));
  }
}
