package io.jrun.runtime.container;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The directory of containers (`--root`): one directory each. What a crash may leave of it grows
/// in this order, and is taken away in the reverse one:
///
/// 1. the directory, which takes the id;
/// 2. `state.json` without init, written before the cgroup that it names is made;
/// 3. `config.json`, then `state.json` with init;
/// 4. `init.sock` while init waits to be started.
final class Store {
  private static final String STATE = "state.json";
  private static final String CONFIG = "config.json";
  private static final String SOCKET = "init.sock";

  private final Kernel kernel;
  private final Path root;

  Store(Kernel kernel, Path root) {
    this.kernel = kernel;
    this.root = root;
  }

  Path root() {
    return root;
  }

  Path directory(String id) {
    return root.resolve(id);
  }

  Path initSocket(String id) {
    return directory(id).resolve(SOCKET);
  }

  /// Takes the id: the directory is what keeps a second container from having that name.
  Claim create(String id) {
    String path = directory(id).toString();
    try {
      makeDirectory(path);
    } catch (KernelException e) {
      if (e.errno().equals(Errno.EEXIST))
        throw new ContainerException("container with given ID already exists");
      throw new ContainerException("making the container's directory", e);
    }
    try {
      return Claim.ofNew(kernel, path);
    } catch (RuntimeException e) {
      kernel.call(new FileCall.Unlinkat(Descriptor.CWD, path, FileCall.AT_REMOVEDIR));
      throw new ContainerException("making the container's directory", e);
    }
  }

  private void makeDirectory(String path) {
    try {
      kernel.call(new FileCall.Mkdirat(Descriptor.CWD, path, 0700));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e;
      makeRoot();
      kernel.call(new FileCall.Mkdirat(Descriptor.CWD, path, 0700));
    }
  }

  private void makeRoot() {
    try {
      Files.createDirectories(
          root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      throw new ContainerException(root + " is not a directory");
    } catch (IOException e) {
      throw new UncheckedIOException("making " + root, e);
    }
  }

  /// The lock on an existing container; empty where there is none.
  Optional<Claim> claim(String id, long millis) {
    return Claim.await(kernel, directory(id).toString(), millis);
  }

  /// Writes the first state, for whoever finds the container half made. There is no older one to
  /// keep, and a reader takes an empty file for none, so it is written in place.
  void begin(Claim claim, StoredState state) {
    write(claim.descriptor(), STATE, FileCall.O_EXCL, bytes(state));
  }

  /// Makes the container complete: its config, then its state in exchange for the first.
  void complete(Claim claim, byte[] config, StoredState state) {
    write(claim.descriptor(), CONFIG, FileCall.O_EXCL, config);
    write(claim.descriptor(), "." + STATE, FileCall.O_TRUNC, bytes(state));
    kernel.call(
        new FileCall.Renameat2(claim.descriptor(), "." + STATE, claim.descriptor(), STATE, 0));
  }

  private static byte[] bytes(StoredState state) {
    return state.toJson().toText("").getBytes(StandardCharsets.UTF_8);
  }

  private void write(Descriptor directory, String name, int flags, byte[] bytes) {
    int open = FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_CLOEXEC | flags;
    Descriptor file = kernel.call(new FileCall.Openat(directory, name, open, 0600, true));
    try (OwnedDescriptor owned = new OwnedDescriptor(kernel, ((Descriptor.Known) file).number())) {
      for (int at = 0; at < bytes.length; ) {
        byte[] rest = at == 0 ? bytes : Arrays.copyOfRange(bytes, at, bytes.length);
        at += kernel.call(new FileCall.Write(owned.descriptor(), rest));
      }
    }
  }

  byte[] config(String id) {
    return read(id, CONFIG)
        // deleted meanwhile, or half made
        .orElseThrow(() -> new ContainerException("container does not exist"));
  }

  boolean hasConfig(String id) {
    return Files.exists(directory(id).resolve(CONFIG));
  }

  /// The state; empty where there is none, or none yet.
  Optional<StoredState> find(String id) {
    return read(id, STATE).filter(json -> json.length > 0).map(StoredState::read);
  }

  private Optional<byte[]> read(String id, String name) {
    try {
      return Optional.of(Files.readAllBytes(directory(id).resolve(name)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("reading " + directory(id).resolve(name), e);
    }
  }

  StoredState load(String id) {
    ContainerId.check(id);
    return find(id).orElseThrow(() -> new ContainerException("container does not exist"));
  }

  List<String> ids() {
    List<String> ids = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(root)) {
      for (Path entry : entries)
        if (Files.isDirectory(entry)) ids.add(entry.getFileName().toString());
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ids.sort(null);
    return ids;
  }

  /// Says that init has been started.
  void started(String id) {
    unlink(Descriptor.CWD, initSocket(id).toString(), 0);
  }

  /// Gives the id back.
  void delete(Claim claim, String id) {
    unlink(claim.descriptor(), CONFIG, 0);
    unlink(claim.descriptor(), STATE, 0);
    try {
      unlink(Descriptor.CWD, directory(id).toString(), FileCall.AT_REMOVEDIR);
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOTEMPTY)) throw e;
      for (String name : names(id)) unlink(claim.descriptor(), name, 0);
      unlink(Descriptor.CWD, directory(id).toString(), FileCall.AT_REMOVEDIR);
    }
  }

  private List<String> names(String id) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory(id))) {
      List<String> names = new ArrayList<>();
      for (Path entry : entries) names.add(entry.getFileName().toString());
      return names;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void unlink(Descriptor directory, String name, int flags) {
    try {
      kernel.call(new FileCall.Unlinkat(directory, name, flags));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e;
    }
  }
}
