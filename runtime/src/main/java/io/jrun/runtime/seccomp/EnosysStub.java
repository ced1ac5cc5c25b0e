package io.jrun.runtime.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// The start of a filter that answers ENOSYS to system calls newer than any that the profile names,
/// as runc's does. A libc probes for new calls, and falls back to older ones on ENOSYS but not on
/// EPERM.
final class EnosysStub {
  private static final int X86_64 = 0xc000_003e;

  /// libseccomp's token of x32, which the kernel tells from x86_64 only by a bit in the number.
  private static final int X32 = 0x4000_003e;

  private static final int X32_SYSCALL_BIT = 0x4000_0000;

  private static final int NR_OFFSET = 0;
  private static final int ARCH_OFFSET = 4;

  private static final int LD_W_ABS = 0x20;
  private static final int JA = 0x05;
  private static final int JEQ_K = 0x15;
  private static final int JGT_K = 0x25;
  private static final int JGE_K = 0x35;
  private static final int RET_K = 0x06;

  /// A struct sock_filter.
  private record Instruction(int code, int ifTrue, int ifFalse, int k) {
    static final int SIZE = 8;
  }

  private final SortedMap<Integer, Integer> lastSyscalls = new TreeMap<>();

  /// Says that the profile names a system call; a number below 0 is none of this architecture's.
  void add(int arch, int syscall) {
    if (syscall >= 0) {
      lastSyscalls.merge(arch, syscall, Math::max);
    }
  }

  /// The filter after this stub, in native byte order.
  byte[] before(byte[] filter) {
    List<Instruction> stub = instructions();
    ByteBuffer whole =
        ByteBuffer.allocate(stub.size() * Instruction.SIZE + filter.length)
            .order(ByteOrder.nativeOrder());
    for (Instruction instruction : stub) {
      whole
          .putShort((short) instruction.code())
          .put((byte) instruction.ifTrue())
          .put((byte) instruction.ifFalse())
          .putInt(instruction.k());
    }
    return whole.put(filter).array();
  }

  private List<Instruction> instructions() {
    List<List<Instruction>> sections = new ArrayList<>();
    lastSyscalls.forEach((arch, last) -> {
      if (arch != X32) {
        sections.add(arch == X86_64 ? x86(last) : section(arch, newerThan(last)));
      }
    });
    if (!lastSyscalls.containsKey(X86_64) && lastSyscalls.containsKey(X32)) {
      sections.add(x86(X32_SYSCALL_BIT - 1));
    }
    if (sections.isEmpty()) {
      return List.of();
    }
    List<Instruction> stub = new ArrayList<>();
    stub.add(new Instruction(LD_W_ABS, 0, 0, ARCH_OFFSET));
    int end = 1 + sections.stream().mapToInt(section -> section.size() + 1).sum();
    for (List<Instruction> section : sections) {
      stub.addAll(section);
      stub.add(new Instruction(JA, 0, 0, end - stub.size() - 1));
    }
    return stub;
  }

  private List<Instruction> x86(int last) {
    List<Instruction> plain = newerThan(last);
    Integer lastX32 = lastSyscalls.get(X32);
    // Without x32 in the profile its calls are libseccomp's to refuse.
    List<Instruction> x32 = lastX32 == null ? List.of() : newerThan(lastX32);
    List<Instruction> body = new ArrayList<>();
    // An x32 call passes over the plain test and the jump behind it.
    body.add(new Instruction(JGE_K, plain.size() + 1, 0, X32_SYSCALL_BIT));
    body.addAll(plain);
    body.add(new Instruction(JA, 0, 0, x32.size()));
    body.addAll(x32);
    return section(X86_64, body);
  }

  /// A body that sees the number of the system call in the accumulator; another architecture goes
  /// past it and past the jump that follows it.
  private static List<Instruction> section(int arch, List<Instruction> body) {
    List<Instruction> section = new ArrayList<>();
    section.add(new Instruction(JEQ_K, 0, body.size() + 2, arch));
    section.add(new Instruction(LD_W_ABS, 0, 0, NR_OFFSET));
    section.addAll(body);
    return section;
  }

  private static List<Instruction> newerThan(int last) {
    return List.of(
        new Instruction(JGT_K, 0, 1, last),
        new Instruction(RET_K, 0, 0, Action.ERRNO | Action.ENOSYS));
  }
}
