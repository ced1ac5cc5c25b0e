package io.jrun.runtime.container;

import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The files that a container's init was given by its caller and that no mount of its own leads to,
/// by the names that CRIU has for them (criu 3.17, `--external file[mnt_id:inode]`, both in
/// hexadecimal).
final class ExternalFiles {
  private ExternalFiles() {}

  static boolean isOne(String name) {
    return name.startsWith("file[");
  }

  /// @param targets where the descriptors from 0 on lead, as proc_pid_fd(5) has it
  /// @return names by descriptor
  static Map<Integer, String> of(Kernel kernel, int pid, List<String> targets) {
    Path process = Path.of("/proc", Integer.toString(pid));
    Map<Integer, String> names = new LinkedHashMap<>();
    try {
      Set<String> mounts = mounts(process);
      for (int fd = 0; fd < targets.size(); fd++) {
        if (!targets.get(fd).startsWith("/")) continue; // a pipe or socket is nobody's mount's
        Stat stat = kernel.call(new FileCall.Statx(Descriptor.CWD, process + "/fd/" + fd, 0));
        int type = stat.mode() & Stat.S_IFMT;
        String mount = mount(process.resolve("fdinfo/" + fd));
        if ((type == Stat.S_IFIFO || type == Stat.S_IFREG) && !mounts.contains(mount))
          names.put(fd, "file[%x:%x]".formatted(Integer.parseInt(mount), stat.inode()));
      }
    } catch (IOException e) {
      throw new ContainerException(
          "looking at the standard streams of process " + pid + ": " + IoReason.of(e));
    }
    return names;
  }

  /// The ids of those that the process sees.
  private static Set<String> mounts(Path process) throws IOException {
    try (Stream<String> lines = Files.lines(process.resolve("mountinfo"))) {
      return lines.map(line -> line.split(" ", 2)[0]).collect(Collectors.toSet());
    }
  }

  private static String mount(Path fdinfo) throws IOException {
    for (String line : Files.readAllLines(fdinfo))
      if (line.startsWith("mnt_id:")) return line.substring("mnt_id:".length()).strip();
    throw new IOException(fdinfo + " has no mnt_id");
  }
}
