package io.jrun.rootfs.tar;

import io.jrun.kernel.call.Names;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads an archive entry by entry: V7, ustar, star, GNU and PAX (POSIX.1-2001, pax(1)).
///
/// The content of a file is taken with [#piece] before the next entry is asked for; what is left is
/// skipped.
public final class TarReader {
  /// No name, link target or set of attributes is longer.
  private static final int MOST_EXTENDED = 1 << 20;

  private final TarInput input;
  private final boolean mayLackEnd;
  private final PaxRecords global = new PaxRecords();
  private final PaxRecords local = new PaxRecords();
  private @Nullable String longName;
  private @Nullable String longLink;
  private long left;
  private int padding;
  private boolean ended;

  /// @param mayLackEnd whether the stream may stop at an entry's end without the blocks of zeros
  ///   that say so; sensible only where a digest proves that nothing is missing
  public TarReader(TarInput input, boolean mayLackEnd) {
    this.input = input;
    this.mayLackEnd = mayLackEnd;
  }

  /// The next entry; null at the end, when all of the stream has been read.
  public @Nullable Entry next() {
    if (ended) return null;
    input.skip(left + padding);
    left = 0;
    padding = 0;
    local.clear();
    longName = null;
    longLink = null;
    boolean extended = false;
    while (true) {
      Header header = header(extended);
      if (header == null) return null;
      long size = header.number(124, 12, "size");
      if (size < 0) throw new TarException("an entry has a negative size");
      switch (header.type()) {
        case 'x', 'X' -> local.parse(extended(size));
        case 'g' -> global.parse(extended(size));
        case 'L' -> longName = text(extended(size));
        case 'K' -> longLink = text(extended(size));
        case 'V' -> input.skip(padded(size));
        default -> {
          return entry(header, size);
        }
      }
      extended = true;
    }
  }

  private @Nullable Header header(boolean extended) {
    byte[] block = new byte[TarInput.BLOCK];
    long at = input.position();
    if (!input.block(block)) {
      if (mayLackEnd && !extended) return end();
      throw new TarException(
          "the archive is truncated: it ends at byte " + at + " without saying that it ends");
    }
    Header header = new Header(block);
    if (header.isZero()) {
      if (extended) throw new TarException("the archive ends with an extended header");
      byte[] second = new byte[TarInput.BLOCK];
      if (!input.block(second)) {
        if (mayLackEnd) return end();
        throw new TarException(
            "the archive is truncated: it ends at byte "
                + input.position()
                + " with one block of zeros, not two");
      }
      if (!new Header(second).isZero()) {
        throw new TarException("there is a block of zeros among the entries, at byte " + at);
      }
      return end();
    }
    if (!header.checksumIsRight()) {
      throw new TarException(
          at == 0 ? "not a tar archive" : "a header's checksum is wrong, at byte " + at);
    }
    return header;
  }

  private @Nullable Header end() {
    ended = true;
    input.drain();
    return null;
  }

  private static long padded(long size) {
    return size + (TarInput.BLOCK - 1) & -TarInput.BLOCK;
  }

  private byte[] extended(long size) {
    if (size > MOST_EXTENDED) {
      throw new TarException("an extended header has " + size + " bytes, too many");
    }
    byte[] content = new byte[(int) size];
    input.take(content, 0, content.length);
    input.skip(padded(size) - size);
    return content;
  }

  private static String text(byte[] content) {
    int end = 0;
    while (end < content.length && content[end] != 0) end++;
    return Names.decode(content, 0, end);
  }

  private Entry entry(Header header, long headerSize) {
    PaxRecords pax = local;
    if (!global.isEmpty()) {
      pax = new PaxRecords();
      pax.addAll(global);
      pax.addAll(local);
    }
    String name = first(pax.text("GNU.sparse.name"), pax.text("path"), longName, header.name());
    String link = first(pax.text("linkpath"), longLink, null, header.link());
    long stored = pax.number("size", headerSize);
    if (stored < 0) throw new TarException(name + ": its size is negative");
    EntryType type = type(header.type(), name);
    if (type != EntryType.FILE) stored = 0;
    Time modified = pax.time("mtime");
    if (modified == null) modified = new Time(header.number(136, 12, "mtime"), 0);
    if (header.type() == 'D') input.skip(padded(headerSize));
    padding = (int) (padded(stored) - stored);
    left = stored;
    List<Extent> extents = null;
    long size = stored;
    if (header.type() == 'S') {
      extents = SparseMap.old(header, input);
      size = header.number(483, 12, "real size");
    } else if (pax.number("GNU.sparse.major", 0) == 1) {
      size = pax.number("GNU.sparse.realsize", 0);
      long before = input.position();
      extents = SparseMap.leading(input);
      left -= input.position() - before;
      if (left < 0) throw new TarException(name + ": its sparse map is damaged");
    } else if (pax.has("GNU.sparse.size")) {
      size = pax.number("GNU.sparse.size", 0);
      String map = pax.text("GNU.sparse.map");
      extents = map == null ? pax.sparse() : SparseMap.commas(map);
    }
    if (extents != null) extents = SparseMap.checked(extents, size, left);
    return new Entry(
        name,
        type,
        (int) header.number(100, 8, "mode") & 07777,
        pax.number("uid", header.number(108, 8, "uid")),
        pax.number("gid", header.number(116, 8, "gid")),
        modified,
        pax.time("atime"),
        type == EntryType.SYMLINK || type == EntryType.HARD_LINK ? link : "",
        isDevice(type) ? (int) header.number(329, 8, "device") : 0,
        isDevice(type) ? (int) header.number(337, 8, "device") : 0,
        size,
        left,
        extents,
        pax.xattrs());
  }

  private static boolean isDevice(EntryType type) {
    return type == EntryType.CHARACTER_DEVICE || type == EntryType.BLOCK_DEVICE;
  }

  private static String first(
      @Nullable String a, @Nullable String b, @Nullable String c, String otherwise) {
    return a != null ? a : b != null ? b : c != null ? c : otherwise;
  }

  private static EntryType type(char flag, String name) {
    return switch (flag) {
      case 0, '0', '7' -> name.endsWith("/") && flag != '7' ? EntryType.DIRECTORY : EntryType.FILE;
      case 'S' -> EntryType.FILE;
      case '1' -> EntryType.HARD_LINK;
      case '2' -> EntryType.SYMLINK;
      case '3' -> EntryType.CHARACTER_DEVICE;
      case '4' -> EntryType.BLOCK_DEVICE;
      case '5', 'D' -> EntryType.DIRECTORY;
      case '6' -> EntryType.FIFO;
      case 'M' -> throw new TarException(name + ": archives of several volumes are not supported");
      default -> throw new TarException(name + ": entries of type '" + flag + "' are not known");
    };
  }

  /// Bytes of the current entry's content that lie together, at most so many.
  public TarInput.Piece piece(long most) {
    TarInput.Piece piece = input.piece(Math.min(most, left));
    left -= piece.length();
    return piece;
  }

  /// How much of the current entry's content has not been taken.
  public long left() {
    return left;
  }

  /// Whether what comes next lies in another segment.
  public boolean isAtEndOfSegment() {
    return input.isAtEndOfSegment();
  }

  /// Where in the stream the content that has not been taken starts.
  public long contentOffset() {
    return input.position();
  }
}
