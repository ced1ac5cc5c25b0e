package io.jrun.image.commands;

import io.jrun.image.bundle.Accounts;
import io.jrun.kernel.call.EntryStat;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What was found out about unpacked images, the latest few, for the next container of them.
/// Unpacked images do not change.
public final class RecentImages {
  private static final int MOST = 64;

  /// What a container's bundle needs to know of the tree.
  ///
  /// @param root what the root directory is like, with the ids inside
  record Seen(Accounts accounts, EntryStat root) {}

  private final Map<Path, Seen> seen =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Path, Seen> eldest) {
          return size() > MOST;
        }
      };

  private final Map<Path, Boolean> stacking = new LinkedHashMap<>();

  /// @param tree of the topmost layer
  synchronized Optional<Seen> of(Path tree) {
    return Optional.ofNullable(seen.get(tree));
  }

  synchronized void put(Path tree, Seen of) {
    seen.put(tree, of);
  }

  /// Whether overlayfs can have its upper directory in a store; empty where nobody has tried.
  synchronized Optional<Boolean> canStack(Path store) {
    return Optional.ofNullable(stacking.get(store));
  }

  synchronized void stacks(Path store, boolean can) {
    stacking.put(store, can);
  }
}
