package io.jrun.rootfs.tar;

import io.jrun.rootfs.stream.Segment;
import io.jrun.rootfs.stream.Segments;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// An archive's bytes: as blocks for the reader of headers, as pieces in shared memory for the
/// writer of content.
public final class TarInput {
  static final int BLOCK = 512;

  /// So many bytes at an address in the writer.
  public record Piece(long address, int length) {}

  private final Segments segments;
  private final Consumer<Segment> consumed;
  private @Nullable Segment current;
  private int at;
  private long position;

  /// @param consumed is told of each segment that has been passed
  public TarInput(Segments segments, Consumer<Segment> consumed) {
    this.segments = segments;
    this.consumed = consumed;
  }

  /// How many bytes have been taken.
  public long position() {
    return position;
  }

  private @Nullable Segment segment() {
    while (current == null || at == current.bytes().limit()) {
      if (current != null) consumed.accept(current);
      current = segments.next();
      at = 0;
      if (current == null) return null;
    }
    return current;
  }

  /// Reads one block; false at the end of the stream.
  boolean block(byte[] into) {
    Segment segment = segment();
    if (segment == null) return false;
    take(into, 0, BLOCK);
    return true;
  }

  void take(byte[] into, int offset, int length) {
    while (length > 0) {
      Segment segment = segment();
      if (segment == null) throw truncated();
      int part = Math.min(length, segment.bytes().limit() - at);
      segment.bytes().get(at, into, offset, part);
      at += part;
      position += part;
      offset += part;
      length -= part;
    }
  }

  /// The next bytes that lie together, at least one and at most so many.
  public Piece piece(long most) {
    Segment segment = segment();
    if (segment == null) throw truncated();
    int length = (int) Math.min(most, segment.bytes().limit() - at);
    Piece piece = new Piece(segment.address() + at, length);
    at += length;
    position += length;
    return piece;
  }

  boolean isAtEndOfSegment() {
    return current == null || at == current.bytes().limit();
  }

  void skip(long bytes) {
    while (bytes > 0) {
      Segment segment = segment();
      if (segment == null) throw truncated();
      int length = (int) Math.min(bytes, segment.bytes().limit() - at);
      at += length;
      position += length;
      bytes -= length;
    }
  }

  /// Takes all that is left.
  void drain() {
    while (true) {
      Segment segment = segment();
      if (segment == null) return;
      position += segment.bytes().limit() - at;
      at = segment.bytes().limit();
    }
  }

  private TarException truncated() {
    return new TarException("the archive is truncated: it ends at byte " + position);
  }
}
