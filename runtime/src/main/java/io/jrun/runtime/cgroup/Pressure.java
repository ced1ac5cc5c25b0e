package io.jrun.runtime.cgroup;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/// How long processes have waited for a resource: a line of a pressure file
/// (Documentation/accounting/psi.rst).
///
/// @param kind `some` of them, or all of them (`full`)
/// @param avg10 percent of the last 10 seconds
/// @param total microseconds
public record Pressure(
    String kind, BigDecimal avg10, BigDecimal avg60, BigDecimal avg300, long total) {
  static List<Pressure> parse(String text) {
    List<Pressure> lines = new ArrayList<>();
    for (String line : text.split("\n")) {
      String[] fields = line.split("[ =]");
      if (fields.length == 9)
        lines.add(
            new Pressure(
                fields[0],
                new BigDecimal(fields[2]),
                new BigDecimal(fields[4]),
                new BigDecimal(fields[6]),
                Long.parseUnsignedLong(fields[8])));
    }
    return lines;
  }
}
