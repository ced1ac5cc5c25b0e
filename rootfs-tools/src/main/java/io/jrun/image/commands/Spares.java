package io.jrun.image.commands;

import io.jrun.image.store.ImageStore;
import io.jrun.image.store.Lease;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DirectoryEntry;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Bundles of containers that are gone, emptied while no client waits, so that the next container
/// begins with one rename. They lie among what is being made: what a crash keeps there is the
/// collection's.
///
/// What a container could touch is made anew: of its bundle only `rootfs` stays, on which its init
/// had mounted, and `work`, which overlayfs alone enters.
final class Spares {
  static final String ROOTFS = "rootfs";
  static final String UPPER = "upper";
  static final String WORK = "work";

  /// Of each of the three.
  static final int MODE = 0755;

  private static final int MOST = 4;
  private static final int RECORDS = 8192;
  private static final Set<String> DIRECTORIES = Set.of(ROOTFS, UPPER, WORK);
  private static final Set<String> FILES = Set.of(Lease.FILE, ContainerBundles.CONFIG);

  private record Spare(ImageStore store, Path path, long nanos) {}

  private final Kernel kernel;
  private final Deque<Spare> spares = new ArrayDeque<>();

  /// @param kernel the engine's own
  Spares(Kernel kernel) {
    this.kernel = kernel;
  }

  /// Puts one in a place; the store must be held. False where there is none.
  ///
  /// @throws KernelException where the place is taken (EEXIST)
  boolean put(ImageStore store, Path place) {
    for (Spare spare = take(store); spare != null; spare = take(store)) {
      FileCall.Renameat2 rename =
          new FileCall.Renameat2(
              Descriptor.CWD,
              spare.path().toString(),
              Descriptor.CWD,
              place.toString(),
              FileCall.RENAME_NOREPLACE);
      try {
        store.kernel().call(rename);
        return true;
      } catch (KernelException e) {
        if (e.errno().equals(Errno.ENOENT)) continue; // it was collected
        keep(spare);
        throw e;
      }
    }
    return false;
  }

  private synchronized @Nullable Spare take(ImageStore store) {
    for (Spare spare : spares) {
      if (!spare.store().root().equals(store.root())) continue;
      spares.remove(spare);
      return spare;
    }
    return null;
  }

  private synchronized void keep(Spare spare) {
    spares.addFirst(spare);
  }

  private synchronized boolean isFull() {
    return spares.size() >= MOST;
  }

  /// Empties a bundle that lies aside, and keeps it; the store must be held. False where it is to
  /// be removed: it has something else in it, or there are enough.
  boolean empty(ImageStore store, Path bundle) {
    List<String> names = names(bundle);
    boolean isWhole = names.containsAll(DIRECTORIES) && names(bundle.resolve(ROOTFS)).isEmpty();
    if (isFull() || !isWhole || !names.stream().allMatch(Spares::isKnown)) return false;
    OwnTree.remove(kernel, bundle.resolve(UPPER));
    for (String name : names(bundle.resolve(WORK))) {
      OwnTree.remove(kernel, bundle.resolve(WORK).resolve(name));
    }
    for (String name : names) {
      if (FILES.contains(name)) {
        kernel.call(new FileCall.Unlinkat(Descriptor.CWD, bundle + "/" + name, 0));
      }
    }
    makeDirectory(kernel, bundle + "/" + UPPER, MODE);
    keep(new Spare(store, bundle, System.nanoTime()));
    return true;
  }

  private static boolean isKnown(String name) {
    return DIRECTORIES.contains(name) || FILES.contains(name);
  }

  /// With exactly this mode, whatever the umask.
  static void makeDirectory(Kernel kernel, String path, int mode) {
    kernel.call(new FileCall.Mkdirat(Descriptor.CWD, path, mode));
    kernel.call(new FileCall.Fchmodat(Descriptor.CWD, path, mode));
  }

  /// Takes the directories out of one that was put, and is wanted otherwise.
  static void removeDirectories(Kernel kernel, Path bundle) {
    for (String name : DIRECTORIES) {
      kernel.call(
          new FileCall.Unlinkat(Descriptor.CWD, bundle + "/" + name, FileCall.AT_REMOVEDIR));
    }
  }

  private List<String> names(Path directory) {
    List<String> names = new ArrayList<>();
    FileCall.Openat open = FileCall.Openat.directory(directory.toString());
    try (OwnedDescriptor opened = OwnedDescriptor.open(kernel, open)) {
      byte[] records;
      do {
        records = kernel.call(new FileCall.Getdents(opened.descriptor(), RECORDS));
        DirectoryEntry.parse(records).forEach(entry -> names.add(entry.name()));
      } while (records.length > 0);
    }
    return names;
  }

  /// Removes those that nobody has taken for so long.
  void remove(long olderThanNanos) {
    for (Spare spare = old(olderThanNanos); spare != null; spare = old(olderThanNanos)) {
      try (ImageStore.AutoCloseableLock lock = spare.store().using()) {
        OwnTree.remove(kernel, spare.path());
      } catch (KernelException e) {
        System.err.println("jrun: " + spare.path() + " stays until jrun image prune: " + e);
      }
    }
  }

  private synchronized @Nullable Spare old(long nanos) {
    Spare last = spares.peekLast();
    if (last == null || System.nanoTime() - last.nanos() < nanos) return null;
    return spares.removeLast();
  }
}
