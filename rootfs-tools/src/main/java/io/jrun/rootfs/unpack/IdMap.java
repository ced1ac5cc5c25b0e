package io.jrun.rootfs.unpack;

import io.jrun.rootfs.RootfsException;
import java.util.ArrayList;
import java.util.List;

/// Ids of an archive to ids of the host; without ranges they stay as they are.
public record IdMap(List<Range> ranges) {
  public static final IdMap SAME = new IdMap(List.of());

  /// So many ids from `inside` on become those from `outside` on.
  public record Range(long inside, long outside, long count) {}

  public IdMap {
    ranges = List.copyOf(ranges);
  }

  /// Ranges of the form `inside:outside:count`, as in user namespaces.
  public static IdMap parse(List<String> texts) {
    List<Range> ranges = new ArrayList<>();
    for (String text : texts) {
      String[] fields = text.split(":");
      try {
        if (fields.length != 3) throw new NumberFormatException();
        Range range =
            new Range(
                Integer.parseUnsignedInt(fields[0]) & 0xffff_ffffL,
                Integer.parseUnsignedInt(fields[1]) & 0xffff_ffffL,
                Integer.parseUnsignedInt(fields[2]) & 0xffff_ffffL);
        if (range.count() == 0) throw new NumberFormatException();
        ranges.add(range);
      } catch (NumberFormatException e) {
        throw new RootfsException("not an id mapping (container:host:count): " + text);
      }
    }
    return new IdMap(ranges);
  }

  long outside(long id, String path) {
    if (id < 0 || id > 0xffff_fffeL) {
      throw new RootfsException(path + ": its owner " + id + " is not an id");
    }
    if (ranges.isEmpty()) return id;
    for (Range range : ranges) {
      if (id >= range.inside() && id - range.inside() < range.count()) {
        return range.outside() + id - range.inside();
      }
    }
    throw new RootfsException(path + ": its owner " + id + " has no mapping");
  }
}
