package io.jrun.image.commands;

import io.jrun.image.PlatformChoice;
import io.jrun.image.Resolved;
import io.jrun.image.bundle.Accounts;
import io.jrun.image.store.StoreDocuments;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.EntryStat;
import io.jrun.specs.image.Digest;
import io.jrun.specs.json.LatestParsed;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// What was found out about unpacked images, the latest few, for the next container of them.
/// Unpacked images do not change.
public final class RecentImages {
  private static final int MOST = 64;

  /// What a container's bundle needs to know of the tree.
  ///
  /// @param root what the root directory is like, with the ids inside
  record Seen(Accounts accounts, EntryStat root) {}

  private record Asked(Path store, Digest image, PlatformChoice platform) {}

  private final Map<Path, Seen> seen = new LatestParsed<>(MOST);
  private final Map<Asked, Resolved> resolved = new LatestParsed<>(MOST);
  private final Map<Path, Boolean> stacking = new LinkedHashMap<>();
  private final StoreDocuments documents = new StoreDocuments();
  private final Trash trash;

  /// @param kernel the engine's own
  public RecentImages(Kernel kernel) {
    this.trash = new Trash(kernel);
  }

  StoreDocuments documents() {
    return documents;
  }

  Trash trash() {
    return trash;
  }

  /// Removes what containers have left in stores, when no client waits for it.
  public void removeLeftovers() {
    trash.empty();
  }

  /// An image that a store's index has, by its documents, which never change.
  Resolved resolved(
      Path store, Digest image, PlatformChoice platform, Supplier<Resolved> resolving) {
    Asked asked = new Asked(store, image, platform);
    synchronized (resolved) {
      Resolved known = resolved.get(asked);
      if (known != null) return known;
    }
    Resolved found = resolving.get();
    synchronized (resolved) {
      resolved.put(asked, found);
    }
    return found;
  }

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
