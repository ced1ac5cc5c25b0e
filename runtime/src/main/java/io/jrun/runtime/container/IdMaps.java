package io.jrun.runtime.container;

import static io.jrun.kernel.call.FileCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.Stat;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.Linux;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Gives a new user namespace its ids (user_namespaces(7)). Root writes them. Others may write only
/// their own id, and their group only where setgroups(2) is given up; for more there are
/// newuidmap(1) and newgidmap(1).
final class IdMaps {
  private static final int NOT_FOUND = 127;
  static final String DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

  private IdMaps() {}

  /// @param pid of a process in the new namespace, its parent namespace being the client's
  static void write(Containers containers, ClientProcess client, int pid, Linux linux) {
    write(containers, client, pid, linux.uidMappings(), linux.gidMappings());
  }

  /// @param pid of a process in the new namespace, its parent namespace being the client's
  static void write(
      Containers containers,
      ClientProcess client,
      int pid,
      List<IdMapping> uids,
      List<IdMapping> gids) {
    boolean all = containers.uid() == 0;
    Stat self = client.helper.call(new FileCall.Statx(Descriptor.CWD, "/proc/self", 0));
    Batch batch = new Batch();
    if (all || isOwn(uids, self.uid())) add(batch, pid, "uid_map", text(uids));
    else Tool.run(containers, client, command("newuidmap", pid, uids));
    if (all) {
      add(batch, pid, "gid_map", text(gids));
    } else if (isOwn(gids, self.gid())) {
      add(batch, pid, "setgroups", "deny");
      add(batch, pid, "gid_map", text(gids));
    } else {
      Tool.run(containers, client, command("newgidmap", pid, gids));
    }
    client.helper.run(batch);
  }

  static boolean isOwn(List<IdMapping> mappings, int id) {
    return mappings.size() == 1
        && mappings.getFirst().size() == 1
        && (int) mappings.getFirst().hostId() == id;
  }

  static String text(List<IdMapping> mappings) {
    StringBuilder text = new StringBuilder();
    for (IdMapping mapping : mappings) {
      text.append(mapping.containerId())
          .append(' ')
          .append(mapping.hostId())
          .append(' ')
          .append(mapping.size())
          .append('\n');
    }
    return text.toString();
  }

  static List<String> command(String name, int pid, List<IdMapping> mappings) {
    List<String> words = new ArrayList<>(List.of(name, Integer.toString(pid)));
    for (IdMapping mapping : mappings) {
      words.add(Long.toString(mapping.containerId()));
      words.add(Long.toString(mapping.hostId()));
      words.add(Long.toString(mapping.size()));
    }
    return words;
  }

  private static void add(Batch batch, int pid, String name, String text) {
    batch.during(
        "mapping ids by " + name,
        () -> {
          FileCall.Openat open = FileCall.Openat.existing("/proc/" + pid + "/" + name, O_WRONLY);
          Descriptor file = batch.add(open).descriptor();
          batch.add(new FileCall.Write(file, text.getBytes(StandardCharsets.UTF_8)));
          batch.add(new FileCall.Close(file));
        });
  }

  /// newuidmap or newgidmap, run as a child of the client.
  private static final class Tool {
    static void run(Containers containers, ClientProcess client, List<String> words) {
      try (Child child = Child.clone(containers.kernel, client.helper, new Batch(), 0)) {
        Batch batch = new Batch();
        batch.add(new PseudoCall.ResetSignals());
        batch.add(new DescriptorCall.CloseRange(3, -1, DescriptorCall.CLOSE_RANGE_CLOEXEC));
        for (String directory : client.variable("PATH").orElse(DEFAULT_PATH).split(":")) {
          batch.add(
              new ProcessCall.Execve(directory + "/" + words.getFirst(), words, List.of()),
              Errno.ENOENT,
              Errno.EACCES,
              Errno.ENOTDIR);
        }
        batch.add(new ProcessCall.ExitGroup(NOT_FOUND));
        child.become(batch);
        int status = client.helper.call(new ProcessCall.Wait4(child.pid(), 0));
        if (status == NOT_FOUND << 8)
          throw new ContainerException(
              "mapping ids: " + words.getFirst() + ": executable file not found in $PATH");
        if (status != 0)
          throw new ContainerException("mapping ids: " + String.join(" ", words) + " failed");
      }
    }
  }
}
