package io.jrun.runtime.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Runs a classic BPF program on a struct seccomp_data, as far as filters use it.
record ClassicBpf(byte[] program) {
  /// What the program returns for a system call with its arguments.
  int run(int arch, int syscall, long... args) {
    ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
    data.putInt(0, syscall).putInt(4, arch);
    for (int i = 0; i < args.length; i++) {
      data.putLong(16 + 8 * i, args[i]);
    }
    ByteBuffer code = ByteBuffer.wrap(program).order(ByteOrder.nativeOrder());
    int accumulator = 0;
    int pc = 0;
    while (true) {
      int at = pc++ * 8;
      int ifTrue = code.get(at + 2) & 0xff;
      int ifFalse = code.get(at + 3) & 0xff;
      int k = code.getInt(at + 4);
      int compared = Integer.compareUnsigned(accumulator, k);
      switch (code.getShort(at)) {
        case 0x20 -> accumulator = data.getInt(k);
        case 0x54 -> accumulator &= k;
        case 0x05 -> pc += k;
        case 0x15 -> pc += compared == 0 ? ifTrue : ifFalse;
        case 0x25 -> pc += compared > 0 ? ifTrue : ifFalse;
        case 0x35 -> pc += compared >= 0 ? ifTrue : ifFalse;
        case 0x45 -> pc += (accumulator & k) != 0 ? ifTrue : ifFalse;
        case 0x06 -> {
          return k;
        }
        default -> throw new AssertionError("code " + code.getShort(at) + " at " + (pc - 1));
      }
    }
  }
}
