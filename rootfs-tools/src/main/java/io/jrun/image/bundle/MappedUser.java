package io.jrun.image.bundle;

import io.jrun.image.ImageException;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.IdMapping;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.User;
import java.util.List;
import java.util.Objects;

/// The image's user in a user namespace that may not have all ids.
public final class MappedUser {
  private MappedUser() {}

  /// Takes away the further groups that the namespace does not map; refuses a user that it does
  /// not.
  public static Config fit(Config config) {
    List<IdMapping> uids = config.linux().uidMappings();
    List<IdMapping> gids = config.linux().gidMappings();
    if (uids.isEmpty()) return config;
    Process process = Objects.requireNonNull(config.process());
    User user = process.user();
    if (!has(uids, user.uid()) || !has(gids, user.gid())) {
      throw new ImageException(
          "the user "
              + user.uid()
              + ":"
              + user.gid()
              + " is not mapped: an ordinary user needs ranges in /etc/subuid and /etc/subgid,"
              + " newuidmap and newgidmap, or --user root");
    }
    // for a map of one id, setgroups(2) is given up where that takes no right
    List<Long> groups =
        gids.size() == 1 && gids.getFirst().size() == 1
            ? List.of()
            : user.additionalGids().stream().filter(gid -> has(gids, gid)).toList();
    return config.withProcess(process.withUser(user.withAdditionalGids(groups)));
  }

  static boolean has(List<IdMapping> mappings, long id) {
    return mappings.stream()
        .anyMatch(m -> id >= m.containerId() && id - m.containerId() < m.size());
  }
}
