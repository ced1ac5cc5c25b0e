package io.jrun.image.commands;

import io.jrun.image.store.ImageStore;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// What containers have left in stores: it is out of the way at once, among what is being made, and
/// removed when no client waits for it. What a crash keeps there is the collection's.
final class Trash {
  private record Tree(ImageStore store, Path path) {}

  private final Kernel kernel;
  private final Spares spares;
  private final Queue<Tree> trees = new ConcurrentLinkedQueue<>();

  /// @param kernel the engine's own, as no client is told of what it does
  /// @param spares what becomes of a bundle where it can
  Trash(Kernel kernel, Spares spares) {
    this.kernel = kernel;
    this.spares = spares;
  }

  /// Takes a tree out of its place.
  ///
  /// @throws KernelException where it cannot be moved
  void take(ImageStore store, Path path) {
    Path aside = store.aside();
    store
        .kernel()
        .call(
            new FileCall.Renameat2(
                Descriptor.CWD, path.toString(), Descriptor.CWD, aside.toString(), 0));
    trees.add(new Tree(store.over(kernel), aside));
  }

  /// Empties or removes all that was taken until now.
  void empty() {
    for (Tree tree = trees.poll(); tree != null; tree = trees.poll()) {
      try (ImageStore.AutoCloseableLock lock = tree.store().using()) {
        if (!spares.empty(tree.store(), tree.path())) OwnTree.remove(kernel, tree.path());
      } catch (KernelException e) {
        System.err.println("jrun: " + tree.path() + " stays until jrun image prune: " + e);
      }
    }
  }
}
