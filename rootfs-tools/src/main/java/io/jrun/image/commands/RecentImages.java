package io.jrun.image.commands;

import io.jrun.image.PlatformChoice;
import io.jrun.image.Resolved;
import io.jrun.image.bundle.Accounts;
import io.jrun.image.bundle.ConfigRequest;
import io.jrun.image.store.StoreDocuments;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.EntryStat;
import io.jrun.specs.image.Digest;
import io.jrun.specs.json.LatestParsed;
import io.jrun.specs.runtime.Config;
import java.nio.charset.StandardCharsets;
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

  /// A container's config, and the same as text.
  record Described(Config config, byte[] text) {
    private static Described of(Config config) {
      return new Described(config, config.toJson().toText("").getBytes(StandardCharsets.UTF_8));
    }
  }

  private record Container(ConfigRequest request, Accounts accounts) {}

  private record Asked(Path store, Digest image, PlatformChoice platform) {}

  private final Map<Path, Seen> seen = new LatestParsed<>(MOST);
  private final Map<Asked, Resolved> resolved = new LatestParsed<>(MOST);
  private final Map<Container, Described> described = new LatestParsed<>(MOST);
  private final Map<Path, Boolean> stacking = new LinkedHashMap<>();
  private final StoreDocuments documents = new StoreDocuments();
  private final Spares spares;
  private final Trash trash;

  /// @param kernel the engine's own
  public RecentImages(Kernel kernel) {
    this.spares = new Spares(kernel);
    this.trash = new Trash(kernel, spares);
  }

  StoreDocuments documents() {
    return documents;
  }

  Trash trash() {
    return trash;
  }

  Spares spares() {
    return spares;
  }

  /// Empties or removes what containers have left in stores, when no client waits for it.
  public void removeLeftovers() {
    trash.empty();
  }

  /// Removes the empty bundles that no container has wanted for so long.
  public void removeSpares(long olderThanNanos) {
    spares.remove(olderThanNanos);
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

  /// The config of a container, which is often the same as that of one before.
  Described described(ConfigRequest request, Accounts accounts) {
    Container asked = new Container(request, accounts);
    synchronized (described) {
      Described known = described.get(asked);
      if (known != null) return known;
    }
    Described made = Described.of(request.config(accounts));
    synchronized (described) {
      described.put(asked, made);
    }
    return made;
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
