package io.jrun.runtime.cgroup;

import io.jrun.specs.runtime.Resources.DeviceRule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// The eBPF program that decides device accesses on cgroup v2 (BPF_PROG_TYPE_CGROUP_DEVICE). It
/// goes through the rules from the last to the first with the accesses that are still undecided: an
/// allowing rule takes its own away and grants when none are left, a denying one refuses when it
/// concerns any of them.
///
/// Its argument is struct bpf_cgroup_dev_ctx: u32 access << 16 | type, u32 major, u32 minor.
public final class DeviceProgram {
  private static final int BLOCK = 1;
  private static final int CHARACTER = 2;

  private static final int LOAD_WORD = 0x61;
  private static final int AND = 0x57;
  private static final int SHIFT_RIGHT = 0x77;
  private static final int MOVE = 0xb7;
  private static final int COPY = 0xbf;
  private static final int JUMP_NOT_EQUAL = 0x55;
  private static final int JUMP_EQUAL = 0x15;
  private static final int EXIT = 0x95;

  private static final int RESULT = 0;
  private static final int SCRATCH = 1;
  private static final int TYPE = 2;
  private static final int ACCESS = 3;
  private static final int MAJOR = 4;
  private static final int MINOR = 5;

  /// The longest rule has ten instructions.
  private final ByteBuffer code;

  private DeviceProgram(int rules) {
    code = ByteBuffer.allocate(8 * (8 + 10 * rules)).order(ByteOrder.nativeOrder());
  }

  /// The instructions, 8 bytes each, for the spec's rules and those that always hold.
  public static byte[] of(List<DeviceRule> rules) {
    List<DeviceRules.Rule> all = DeviceRules.of(rules);
    DeviceProgram program = new DeviceProgram(all.size());
    program.add(LOAD_WORD, TYPE, SCRATCH, 0, 0);
    program.add(COPY, ACCESS, TYPE, 0, 0);
    program.add(AND, TYPE, 0, 0, 0xffff);
    program.add(SHIFT_RIGHT, ACCESS, 0, 0, 16);
    program.add(LOAD_WORD, MAJOR, SCRATCH, 4, 0);
    program.add(LOAD_WORD, MINOR, SCRATCH, 8, 0);
    for (DeviceRules.Rule rule : all.reversed().subList(0, all.size() - 1)) program.rule(rule);
    program.decide(all.getFirst().allow());
    byte[] bytes = new byte[program.code.position()];
    program.code.flip().get(bytes);
    return bytes;
  }

  private void rule(DeviceRules.Rule rule) {
    int length =
        1
            + (rule.major() == DeviceRules.ANY ? 0 : 1)
            + (rule.minor() == DeviceRules.ANY ? 0 : 1)
            + (rule.allow() ? 2 : 3)
            + 2;
    int end = code.position() / 8 + length;
    add(JUMP_NOT_EQUAL, TYPE, 0, to(end), rule.type() == 'b' ? BLOCK : CHARACTER);
    if (rule.major() != DeviceRules.ANY) add(JUMP_NOT_EQUAL, MAJOR, 0, to(end), (int) rule.major());
    if (rule.minor() != DeviceRules.ANY) add(JUMP_NOT_EQUAL, MINOR, 0, to(end), (int) rule.minor());
    if (rule.allow()) {
      add(AND, ACCESS, 0, 0, ~rule.access());
      add(JUMP_NOT_EQUAL, ACCESS, 0, to(end), 0);
    } else {
      add(COPY, SCRATCH, ACCESS, 0, 0);
      add(AND, SCRATCH, 0, 0, rule.access());
      add(JUMP_EQUAL, SCRATCH, 0, to(end), 0);
    }
    decide(rule.allow());
  }

  private void decide(boolean allow) {
    add(MOVE, RESULT, 0, 0, allow ? 1 : 0);
    add(EXIT, 0, 0, 0, 0);
  }

  /// A jump counts from the instruction after it.
  private int to(int instruction) {
    return instruction - code.position() / 8 - 1;
  }

  /// struct bpf_insn; the registers' nibbles are as a little-endian machine has them, as are all
  /// that jrun runs on.
  private void add(int operation, int target, int source, int offset, int immediate) {
    code.put((byte) operation)
        .put((byte) (source << 4 | target))
        .putShort((short) offset)
        .putInt(immediate);
  }
}
