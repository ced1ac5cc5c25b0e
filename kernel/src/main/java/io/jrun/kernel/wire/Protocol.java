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
  static final int CALL_RETURNS_DESCRIPTOR = 1;
  static final int TOLERATE_ANY = 0xffff;
  static final int BATCH_CHAINED = 1;
  static final int MAX_CALLS = 32768;
  static final int HELLO_SIZE = 24;
  static final int BATCH_SIZE = 16;
  static final int CALL_SIZE = 64;
  static final int REPLY_SIZE = 8;
  static final int KEEPER_VERSION = 1;
  static final int KEEPER_WELCOME = 1;
  static final int KEEPER_ATTACH = 2;
  static final int KEEPER_FRAME = 3;
  static final int KEEPER_CLOSED = 4;
  static final int KEEPER_EXITED = 5;
  static final int KEEPER_ANSWER = 6;
  static final int KEEPER_SEND = 7;
  static final int KEEPER_RELEASE = 8;
  static final int KEEPER_FORK = 9;
  static final int KEEPER_PLACE = 10;
  static final int KEEPER_DROP = 11;
  static final int KEEPER_OUTGOING = 12;
  static final int KEEPER_TRIM = 13;
  static final int KEEPER_QUIT = 14;
  static final int KEEPER_OPEN = 15;
  static final int KEEPER_OPENED = 16;
  static final int KEEPER_SEES_PLACES = 1;
  static final int KEEPER_STAYS = 2;
  static final int KEEPER_REPLAYED = 1;
  static final int KEEPER_OVERSIZED = 2;
  static final int WORKER_SOCKET = 240;
  static final int TTRPC_HEADER = 10;
  static final int TTRPC_LIMIT = 0x400000;
  static final int KEEPER_FIRST_PLACE = 512;
  static final int KEEPER_PLACES = 1024;
  static final int KEEPER_HOMES = 16;
  static final int KEEPER_MESSAGE_SIZE = 16;
  static final int KEEPER_EXIT_SIZE = 32;
  static final int KEEPER_STATE_SIZE = 48;

  private Protocol() {}
}
