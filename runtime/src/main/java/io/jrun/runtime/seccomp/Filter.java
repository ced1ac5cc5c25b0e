package io.jrun.runtime.seccomp;

import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Number;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;

/// What a filter says of a call before it is made. Its program is followed as the kernel runs it
/// (seccomp(2)), and both ways where it looks at an argument.
public final class Filter {
  private static final int NATIVE_ARCH = FileCall.ARM ? 0xc000_00b7 : 0xc000_003e;

  private static final int NR_OFFSET = 0;
  private static final int ARCH_OFFSET = 4;

  private static final int LD_W_ABS = 0x20;
  private static final int AND_K = 0x54;
  private static final int JA = 0x05;
  private static final int JEQ_K = 0x15;
  private static final int JGT_K = 0x25;
  private static final int JGE_K = 0x35;
  private static final int JSET_K = 0x45;
  private static final int RET_K = 0x06;
  private static final int ACTION = 0xffff_0000;

  private final ByteBuffer code;

  /// @param program struct sock_filter's in native byte order
  public Filter(byte[] program) {
    code = ByteBuffer.wrap(program).order(ByteOrder.nativeOrder());
  }

  /// Whether the call is made, or an agent decides that; with some arguments at least.
  public boolean admits(Number call) {
    return actions(call).stream()
        .anyMatch(action ->
            action == Action.ALLOW || action == Action.LOG || action == Action.USER_NOTIF);
  }

  /// Whether the call ends the process, whatever its arguments are.
  public boolean ends(Number call) {
    return actions(call).stream()
        .allMatch(action ->
            action == Action.KILL_PROCESS || action == Action.KILL_THREAD || action == Action.TRAP);
  }

  private Set<Integer> actions(Number call) {
    Set<Integer> actions = new HashSet<>();
    follow(0, call.value(), new BitSet(), actions);
    return actions;
  }

  /// Goes on from an instruction, where nothing of an argument is kept.
  ///
  /// @param forks where both ways were taken already
  private void follow(int start, int syscall, BitSet forks, Set<Integer> actions) {
    int accumulator = 0;
    boolean isKnown = start == 0;
    for (int pc = start; ; ) {
      int at = pc++ * 8;
      int ifTrue = pc + (code.get(at + 2) & 0xff);
      int ifFalse = pc + (code.get(at + 3) & 0xff);
      int k = code.getInt(at + 4);
      int compared = Integer.compareUnsigned(accumulator, k);
      boolean test;
      switch (code.getShort(at)) {
        case LD_W_ABS -> {
          isKnown = k == NR_OFFSET || k == ARCH_OFFSET;
          accumulator = k == NR_OFFSET ? syscall : NATIVE_ARCH;
          continue;
        }
        case AND_K -> {
          accumulator &= k;
          continue;
        }
        case JA -> {
          pc += k;
          continue;
        }
        case JEQ_K -> test = compared == 0;
        case JGT_K -> test = compared > 0;
        case JGE_K -> test = compared >= 0;
        case JSET_K -> test = (accumulator & k) != 0;
        case RET_K -> {
          actions.add(k == Action.KILL_PROCESS ? k : k & ACTION);
          return;
        }
        default -> throw new SeccompException("seccomp: libseccomp made an unknown instruction");
      }
      if (isKnown) {
        pc = test ? ifTrue : ifFalse;
        continue;
      }
      if (forks.get(pc)) return;
      forks.set(pc);
      follow(ifTrue, syscall, forks, actions);
      pc = ifFalse;
    }
  }
}
