package io.jrun.rootfs.unpack;

import io.jrun.rootfs.tar.Entry;
import io.jrun.rootfs.tar.Extent;
import io.jrun.rootfs.tar.TarInput;
import io.jrun.rootfs.tar.TarReader;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A file's content as pieces and where they belong. One piece is always taken ahead: taking the
/// first of a segment sends what was gathered before, so it must not happen while a batch uses a
/// descriptor that it opened itself.
final class Content {
  private final TarReader reader;
  private final List<Extent> extents;
  private int extent;
  private long done;
  private TarInput.@Nullable Piece ahead;
  private long offset;

  Content(Entry entry, TarReader reader) {
    this.reader = reader;
    List<Extent> sparse = entry.extents();
    this.extents = sparse == null ? List.of(new Extent(0, entry.stored())) : sparse;
    take();
  }

  private void take() {
    while (extent < extents.size() && done == extents.get(extent).length()) {
      extent++;
      done = 0;
    }
    if (extent == extents.size()) {
      ahead = null;
      return;
    }
    Extent current = extents.get(extent);
    offset = current.offset() + done;
    TarInput.Piece piece = reader.piece(current.length() - done);
    done += piece.length();
    ahead = piece;
  }

  /// The piece that was taken; null at the end.
  TarInput.@Nullable Piece ahead() {
    return ahead;
  }

  /// Where in the file it belongs.
  long offset() {
    return offset;
  }

  /// Whether taking the next piece sends the batch.
  boolean nextIsElsewhere() {
    return reader.left() > 0 && reader.isAtEndOfSegment();
  }

  void advance() {
    take();
  }

  /// Where the last extent ends.
  long end() {
    return extents.isEmpty() ? 0 : extents.getLast().offset() + extents.getLast().length();
  }
}
