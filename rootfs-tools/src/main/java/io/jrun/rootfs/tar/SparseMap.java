package io.jrun.rootfs.tar;

import java.util.ArrayList;
import java.util.List;

/// The maps of sparse files in GNU's four formats.
final class SparseMap {
  static final int MOST = 1_000_000;

  private SparseMap() {}

  static TarException tooMany() {
    return new TarException("a sparse file has more than " + MOST + " extents");
  }

  private static TarException damaged() {
    return new TarException("a sparse file's map is damaged");
  }

  /// The old format: four extents in the header, more in blocks behind it.
  static List<Extent> old(Header header, TarInput input) {
    List<Extent> extents = new ArrayList<>();
    add(extents, header, 386, 4);
    boolean more = header.block[482] != 0;
    while (more) {
      byte[] block = new byte[TarInput.BLOCK];
      input.take(block, 0, block.length);
      Header next = new Header(block);
      add(extents, next, 0, 21);
      more = block[504] != 0;
      if (extents.size() > MOST) throw tooMany();
    }
    return extents;
  }

  private static void add(List<Extent> extents, Header header, int offset, int count) {
    for (int i = 0; i < count; i++) {
      int at = offset + 24 * i;
      if (header.block[at] == 0) return;
      extents.add(
          new Extent(
              header.number(at, 12, "sparse offset"), header.number(at + 12, 12, "sparse size")));
    }
  }

  /// Format 0.1: numbers between commas.
  static List<Extent> commas(String map) {
    String[] numbers = map.split(",");
    if (numbers.length % 2 != 0) throw damaged();
    if (numbers.length / 2 > MOST) throw tooMany();
    List<Extent> extents = new ArrayList<>();
    try {
      for (int i = 0; i < numbers.length; i += 2) {
        extents.add(new Extent(Long.parseLong(numbers[i]), Long.parseLong(numbers[i + 1])));
      }
    } catch (NumberFormatException e) {
      throw damaged();
    }
    return extents;
  }

  /// Format 1.0: decimal numbers, one a line, in blocks before the content: the count, then pairs.
  /// Returns the extents; the input is then at the content.
  static List<Extent> leading(TarInput input) {
    Lines lines = new Lines(input);
    long count = lines.number();
    if (count > MOST) throw tooMany();
    List<Extent> extents = new ArrayList<>();
    for (long i = 0; i < count; i++) extents.add(new Extent(lines.number(), lines.number()));
    return extents;
  }

  private static final class Lines {
    private final TarInput input;
    private final byte[] block = new byte[TarInput.BLOCK];
    private int at = TarInput.BLOCK;

    Lines(TarInput input) {
      this.input = input;
    }

    long number() {
      long value = 0;
      for (int digits = 0; ; digits++) {
        if (at == TarInput.BLOCK) {
          input.take(block, 0, block.length);
          at = 0;
        }
        byte b = block[at++];
        if (b == '\n' && digits > 0) return value;
        if (b < '0' || b > '9' || digits > 18) throw damaged();
        value = value * 10 + b - '0';
      }
    }
  }

  /// Checks that extents are in order, inside the file and as long as what is stored; drops empty
  /// ones.
  static List<Extent> checked(List<Extent> extents, long size, long stored) {
    List<Extent> checked = new ArrayList<>(extents.size());
    long end = 0;
    long sum = 0;
    for (Extent extent : extents) {
      if (extent.length() < 0
          || extent.offset() < end
          || extent.offset() > size
          || extent.length() > size - extent.offset()) {
        throw damaged();
      }
      end = extent.offset() + extent.length();
      sum += extent.length();
      if (extent.length() > 0) checked.add(extent);
    }
    if (sum != stored) throw damaged();
    return checked;
  }
}
