package io.jrun.runtime.container;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.host.Accounts;
import io.jrun.specs.runtime.IdMapping;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The ids that an ordinary user may give a user namespace: the user's own as root's, and behind it
/// those of subuid(5) and subgid(5), where there are some and newuidmap(1) and newgidmap(1) to
/// write them.
record OwnIds(List<IdMapping> uids, List<IdMapping> gids) {
  OwnIds {
    uids = List.copyOf(uids);
    gids = List.copyOf(gids);
  }

  static OwnIds of(ClientProcess client) {
    Stat self = client.helper.call(new FileCall.Statx(Descriptor.CWD, "/proc/self", 0));
    List<IdMapping> uids = own(self.uid());
    List<IdMapping> gids = own(self.gid());
    if (finds(client, "newuidmap") && finds(client, "newgidmap")) {
      List<IdMapping> moreUids = subordinate("/etc/subuid", self.uid());
      List<IdMapping> moreGids = subordinate("/etc/subgid", self.uid());
      if (!moreUids.isEmpty() && !moreGids.isEmpty()) {
        uids.addAll(moreUids);
        gids.addAll(moreGids);
      }
    }
    return new OwnIds(uids, gids);
  }

  private static List<IdMapping> own(int id) {
    return new ArrayList<>(List.of(IdMapping.of(0, id & 0xffff_ffffL, 1)));
  }

  private static boolean finds(ClientProcess client, String program) {
    for (String directory : client.variable("PATH").orElse(IdMaps.DEFAULT_PATH).split(":")) {
      if (directory.startsWith("/") && Files.isExecutable(Path.of(directory, program))) return true;
    }
    return false;
  }

  private static List<IdMapping> subordinate(String file, int uid) {
    List<IdMapping> ranges = new ArrayList<>();
    List<String> lines = lines(file);
    if (lines.isEmpty()) return ranges;
    String number = Integer.toUnsignedString(uid);
    String name = name(number, uid);
    long next = 1;
    for (String line : lines) {
      String[] fields = line.split(":");
      if (fields.length != 3 || !fields[0].equals(name) && !fields[0].equals(number)) continue;
      try {
        long size = Long.parseLong(fields[2].strip());
        ranges.add(IdMapping.of(next, Long.parseLong(fields[1]), size));
        next += size;
      } catch (NumberFormatException e) {
        // newuidmap passes over such a line too
      }
    }
    return ranges;
  }

  /// From the file where that is enough: libc's answer takes long the first time.
  private static String name(String number, int uid) {
    for (String line : lines("/etc/passwd")) {
      String[] fields = line.split(":");
      if (fields.length > 2 && fields[2].equals(number)) return fields[0];
    }
    return Accounts.userName(uid).orElse(number);
  }

  private static List<String> lines(String file) {
    try {
      return Files.readAllLines(Path.of(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return List.of();
    }
  }

  /// Whether there are ids beside root's.
  boolean hasMore() {
    return uids.size() > 1;
  }

  /// Tells one set of ids from another.
  String text() {
    return IdMaps.text(uids) + IdMaps.text(gids);
  }
}
