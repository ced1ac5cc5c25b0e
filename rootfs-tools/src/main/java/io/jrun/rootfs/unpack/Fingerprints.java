package io.jrun.rootfs.unpack;

/// A set of paths as 64-bit hashes: what it does not contain was never added; what it contains may,
/// rarely, be another path.
final class Fingerprints {
  private long[] table = new long[1024];
  private int size;

  void add(long hash) {
    if (size * 2 >= table.length) grow();
    if (put(table, hash)) size++;
  }

  boolean contains(long hash) {
    for (int i = (int) hash & table.length - 1; table[i] != 0; i = i + 1 & table.length - 1) {
      if (table[i] == hash) return true;
    }
    return false;
  }

  private void grow() {
    long[] larger = new long[table.length * 2];
    for (long hash : table) if (hash != 0) put(larger, hash);
    table = larger;
  }

  private static boolean put(long[] table, long hash) {
    int i = (int) hash & table.length - 1;
    while (table[i] != 0) {
      if (table[i] == hash) return false;
      i = i + 1 & table.length - 1;
    }
    table[i] = hash;
    return true;
  }

  /// A path's fingerprint, never 0. FNV-1a with a finishing mix, so that the low bits depend on
  /// all.
  static long of(String path) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < path.length(); i++) hash = (hash ^ path.charAt(i)) * 0x100000001b3L;
    hash ^= hash >>> 32;
    hash *= 0xd6e8feb86659fd93L;
    hash ^= hash >>> 32;
    return hash == 0 ? 1 : hash;
  }
}
