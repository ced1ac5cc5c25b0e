package io.jrun.rootfs.codec;

/// How a stream is compressed, told by its first bytes.
public enum Compression {
  NONE("plain", ""),
  GZIP("gzip", "+gzip"),
  ZSTD("zstd", "+zstd"),
  XZ("xz", "+xz"),
  BZIP2("bzip2", "+bzip2");

  private final String text;
  private final String suffix;

  Compression(String text, String suffix) {
    this.text = text;
    this.suffix = suffix;
  }

  public String text() {
    return text;
  }

  /// What it adds to a layer's media type.
  public String suffix() {
    return suffix;
  }

  /// Told by the ending of a file's name.
  public static Compression ofName(String name) {
    if (name.endsWith(".gz") || name.endsWith(".tgz")) return GZIP;
    if (name.endsWith(".zst") || name.endsWith(".tzst")) return ZSTD;
    if (name.endsWith(".xz") || name.endsWith(".txz")) return XZ;
    if (name.endsWith(".bz2")) return BZIP2;
    return NONE;
  }

  /// @param first the stream's first bytes, six where it has them
  public static Compression of(byte[] first) {
    if (starts(first, 0x1f, 0x8b)) return GZIP;
    if (starts(first, 0x28, 0xb5, 0x2f, 0xfd)) return ZSTD;
    if (first.length > 3 && (first[0] & 0xf0) == 0x50 && starts(first, first[0], 0x2a, 0x4d, 0x18))
      return ZSTD; // a skippable frame leads
    if (starts(first, 0xfd, '7', 'z', 'X', 'Z', 0)) return XZ;
    if (starts(first, 'B', 'Z', 'h')) return BZIP2;
    return NONE;
  }

  private static boolean starts(byte[] bytes, int... magic) {
    if (bytes.length < magic.length) return false;
    for (int i = 0; i < magic.length; i++) if (bytes[i] != (byte) magic[i]) return false;
    return true;
  }
}
