package io.jrun.image.store;

import io.jrun.image.ImageException;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.IoFailure;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/// The named volumes of a store: directories that stay when the containers go that have them. One
/// is made aside and then named, so it is there as a whole or not at all. Which containers have it
/// their leases say.
public final class Volumes {
  /// As docker has it.
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]*");

  /// Nobody but their owner comes by the path to what users of containers made.
  private static final int MODE = 0700;

  private final ImageStore store;

  public Volumes(ImageStore store) {
    this.store = store;
  }

  public static String checked(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new ImageException("not the name of a volume (letters, digits, _ . -): " + name);
    }
    return name;
  }

  private Path all() {
    return store.root().resolve("volumes");
  }

  public Path directory(String name) {
    return all().resolve(checked(name));
  }

  public boolean has(String name) {
    return Files.isDirectory(directory(name));
  }

  /// A volume's directory.
  ///
  /// @throws ImageException where there is none of that name
  public Path find(String name) {
    if (!has(name)) throw new ImageException("no such volume: " + name);
    return directory(name);
  }

  public List<String> names() {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(all())) {
      directories.forEach(directory -> names.add(directory.getFileName().toString()));
    } catch (NoSuchFileException e) {
      return List.of(); // nobody ever made one
    } catch (IOException e) {
      throw IoFailure.of("the volumes of " + store.root(), e);
    }
    names.sort(null);
    return names;
  }

  /// The containers that have it.
  public List<String> users(String name) {
    List<String> users = new ArrayList<>();
    try (DirectoryStream<Path> bundles = Files.newDirectoryStream(store.bundles())) {
      for (Path bundle : bundles) {
        boolean has = Lease.of(bundle).filter(lease -> lease.volumes().contains(name)).isPresent();
        if (has) users.add(bundle.getFileName().toString());
      }
    } catch (IOException e) {
      throw IoFailure.of("the bundles of " + store.root(), e);
    }
    users.sort(null);
    return users;
  }

  /// Makes an empty one; nothing where it is there already.
  public void create(String name) {
    try (ImageStore.AutoCloseableLock lock = store.adding()) {
      if (has(name)) return;
      Path aside = store.aside();
      store.kernel().call(new FileCall.Mkdirat(Descriptor.CWD, aside.toString(), 0755));
      store.kernel().call(new FileCall.Fchmodat(Descriptor.CWD, aside.toString(), 0755));
      if (!name(aside, name, store.kernel()::call)) {
        store
            .kernel()
            .call(new FileCall.Unlinkat(Descriptor.CWD, aside.toString(), FileCall.AT_REMOVEDIR));
      }
    }
  }

  /// Gives what lies aside the name of a volume, on the disk as a whole; the store must be held.
  /// False where there is one of that name by now.
  ///
  /// @param rename by whoever made it
  public boolean name(Path aside, String name, Consumer<FileCall.Renameat2> rename) {
    try {
      store.kernel().call(new FileCall.Mkdirat(Descriptor.CWD, all().toString(), MODE));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.EEXIST)) throw e;
    }
    FileCall.Openat open = FileCall.Openat.directory(all().toString());
    try (OwnedDescriptor directory = OwnedDescriptor.open(store.kernel(), open)) {
      store.kernel().call(new TreeCall.Syncfs(directory.descriptor()));
    }
    try {
      rename.accept(
          new FileCall.Renameat2(
              Descriptor.CWD,
              aside.toString(),
              Descriptor.CWD,
              directory(name).toString(),
              FileCall.RENAME_NOREPLACE));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.EEXIST)) return false;
      throw e;
    }
    try {
      DurableFiles.sync(all());
      return true;
    } catch (IOException e) {
      throw IoFailure.of("naming the volume " + name, e);
    }
  }

  /// Removes one that no container has.
  public void remove(String name, Collection.SnapshotRemoval removal) {
    try (ImageStore.AutoCloseableLock lock = store.collecting()) {
      Path directory = find(name);
      Path aside = store.aside();
      List<String> users = users(name);
      if (!users.isEmpty()) {
        throw new ImageException(
            "the volume %s is used by %s: delete that first (jrun image prune, where it is gone)"
                .formatted(name, String.join(", ", users)));
      }
      store
          .kernel()
          .call(
              new FileCall.Renameat2(
                  Descriptor.CWD, directory.toString(), Descriptor.CWD, aside.toString(), 0));
      removal.remove(aside);
    }
  }
}
