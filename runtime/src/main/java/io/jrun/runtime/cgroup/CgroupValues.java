package io.jrun.runtime.cgroup;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What the files of one cgroup say, of whatever hierarchies it is made. What is not there, or is
/// not to be read, is empty or 0.
///
/// @param isV2 whether the files are those of cgroup2 alone
/// @param source of the files
/// @param pageSizes of huge pages, as files are named for them: `2MB`
public record CgroupValues(boolean isV2, Source source, List<String> pageSizes) {
  /// What the kernel writes as `max`, and v1 as its largest value.
  public static final long UNLIMITED = -1;

  public CgroupValues {
    pageSizes = List.copyOf(pageSizes);
  }

  /// Reads a whole file.
  @FunctionalInterface
  public interface Source {
    /// @param controller whose hierarchy has the file; v2 has only one
    String text(String controller, String file);
  }

  public String text(String controller, String file) {
    return source.text(controller, file);
  }

  /// A file of one number, unsigned.
  public long number(String controller, String file) {
    return number(text(controller, file).strip());
  }

  private static long number(String text) {
    if (text.equals("max")) return UNLIMITED;
    return text.matches("[0-9]+") ? Long.parseUnsignedLong(text) : 0;
  }

  /// A file of names and unsigned numbers, a pair in each line.
  public Map<String, Long> table(String controller, String file) {
    Map<String, Long> table = new LinkedHashMap<>();
    for (String line : text(controller, file).split("\n")) {
      String[] fields = line.split("[ =]");
      if (fields.length == 2 && fields[1].matches("[0-9]+"))
        table.put(fields[0], Long.parseUnsignedLong(fields[1]));
    }
    return table;
  }

  /// What processes have waited for a resource of v2; empty where the kernel does not count that.
  public List<Pressure> pressure(String controller) {
    return Pressure.parse(text(controller, controller + ".pressure"));
  }

  /// As the kernel names the files: in the largest unit that is whole.
  static String pageSize(long kilobytes) {
    if (kilobytes >= 1 << 20) return (kilobytes >> 20) + "GB";
    return kilobytes >= 1 << 10 ? (kilobytes >> 10) + "MB" : kilobytes + "KB";
  }
}
