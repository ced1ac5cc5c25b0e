package io.jrun.runtime.mount;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The mounts that a process sees (proc_pid_mountinfo(5)).
public final class Mountinfo {
  private static final int CHUNK = 65536;

  /// One mount.
  ///
  /// @param id unique while it is mounted
  /// @param root the directory of the file system that is mounted
  /// @param options of the superblock
  public record Entry(
      int id, String root, String mountPoint, String type, String options, boolean shared) {}

  private Mountinfo() {}

  /// The mounts of a helper's namespace, by the procfs that it sees.
  public static List<Entry> read(HelperKernel process) {
    Batch batch = new Batch();
    Pending<Descriptor> file =
        batch.add(FileCall.Openat.existing("/proc/self/mountinfo", FileCall.O_RDONLY));
    Pending<byte[]> first = batch.add(new FileCall.Read(file.descriptor(), CHUNK));
    Results results = process.run(batch);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (byte[] bytes = results.of(first); bytes.length > 0; ) {
      text.writeBytes(bytes);
      bytes = process.call(new FileCall.Read(results.of(file), CHUNK));
    }
    process.call(new FileCall.Close(results.of(file)));
    return parse(text.toString(StandardCharsets.UTF_8));
  }

  /// The mounts in the text of a mountinfo file; lines that are not in its format are ignored.
  public static List<Entry> parse(String text) {
    List<Entry> entries = new ArrayList<>();
    for (String line : text.split("\n")) {
      int separator = line.indexOf(" - ");
      if (separator < 0) continue;
      String[] before = line.substring(0, separator).split(" ");
      String[] after = line.substring(separator + 3).split(" ");
      if (before.length < 6 || after.length < 3) continue;
      entries.add(
          new Entry(
              Integer.parseInt(before[0]),
              unescape(before[3]),
              unescape(before[4]),
              after[0],
              after[2],
              line.substring(0, separator).contains(" shared:")));
    }
    return List.copyOf(entries);
  }

  /// Space, tab, newline and backslash are written as three octal digits.
  private static String unescape(String path) {
    if (path.indexOf('\\') < 0) return path;
    return path.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
  }

  /// The innermost mount point on the way to a path, which has no symlinks.
  public static String containing(List<Entry> mounts, String path) {
    String best = "/";
    for (Entry mount : mounts) {
      String point = mount.mountPoint();
      boolean leads = path.equals(point) || path.startsWith(point + "/");
      if (leads && point.length() > best.length()) best = point;
    }
    return best;
  }
}
