package io.jrun.kernel.wire;

/// The numbers of protocol.h; a test compares each with that file.
final class Protocol {
  static final int MAGIC = 0x6e75726a;
  static final int VERSION = 1;
  static final long ARENA_BASE = 0x2000000000L;
  static final long ARENA_SIZE = 0x2000000L;
  static final int KIND_VALUE = 0;
  static final int KIND_RESULT = 1;
  static final int KIND_PASSED = 2;
  static final int KIND_LOAD = 3;
  static final int CALL_RETURNS_DESCRIPTOR = 1;
  static final int TOLERATE_ANY = 0xffff;
  static final int BATCH_CHAINED = 1;
  static final int MAX_CALLS = 4096;
  static final int HELLO_SIZE = 24;
  static final int BATCH_SIZE = 16;
  static final int CALL_SIZE = 64;
  static final int REPLY_SIZE = 8;

  private Protocol() {}
}
