package io.jrun.runtime.container;

import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.host.Accounts;
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
import org.jspecify.annotations.Nullable;

/// The directory of containers (`--root`): one directory each. What a crash may leave of it grows
/// in this order, and is taken away in the reverse one:
///
/// 1. the directory, which takes the id;
/// 2. in it the file `state`, one line of JSON without init, written before the cgroup that it
///    names is made;
/// 3. behind that, in one write, a second line of JSON with init, the config as it was at create,
///    and a zero byte, without which the write did not end and counts for nothing;
/// 4. `init.sock` while init waits to be started;
/// 5. in `state` a last byte of one, when the program has started.
final class Store {
  private static final String STATE = "state";
  private static final String SOCKET = "init.sock";
  private static final byte[] NOTHING = {};
  private static final byte[] STARTED = {1};
  private static final int CHUNK = 16384;
  private static final int CREATE_ATTEMPTS = 1000;

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

  /// Takes the id: a directory belongs to whoever holds its lock while it has no state, whoever has
  /// made it. Between its making and its locking others may take it away, or even own and complete
  /// it; and one that a crash left empty is anybody's.
  Claim create(String id) {
    String path = directory(id).toString();
    boolean[] isMade = new boolean[1];
    try {
      for (int i = 0; i < CREATE_ATTEMPTS; i++) {
        if (makeDirectory(path)) isMade[0] = true;
        else if (find(id).isPresent()) throw exists();
        Claim.Attempt attempt = Claim.attempt(kernel, path);
        if (attempt.claim() != null) return checkedNew(attempt.claim(), id, isMade[0]);
        if (attempt.isBusy()) Claim.pause(1); // another is about to complete it, or to take it away
      }
    } catch (KernelException e) {
      if (isMade[0]) removeEmpty(path, e);
      throw new ContainerException("making the container's directory", e);
    }
    throw exists();
  }

  private static ContainerException exists() {
    return new ContainerException("container with given ID already exists");
  }

  private Claim checkedNew(Claim claim, String id, boolean isMade) {
    try {
      if (find(id).isPresent()) throw exists();
      if (!isMade) unlink(claim.descriptor(), STATE, 0); // a crash kept it from its first line
      return claim;
    } catch (RuntimeException e) {
      claim.close();
      throw e;
    }
  }

  /// One that is not empty is another's; who has just taken an empty one makes it again.
  private void removeEmpty(String path, KernelException cause) {
    try {
      kernel.call(new FileCall.Unlinkat(Descriptor.CWD, path, FileCall.AT_REMOVEDIR));
    } catch (KernelException e) {
      cause.addSuppressed(e);
    }
  }

  /// False where it is there already.
  private boolean makeDirectory(String path) {
    FileCall.Mkdirat call = new FileCall.Mkdirat(Descriptor.CWD, path, 0700);
    try {
      kernel.call(call);
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.EEXIST)) return false;
      if (!e.errno().equals(Errno.ENOENT)) throw e;
    }
    makeRoot();
    try {
      kernel.call(call);
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.EEXIST)) return false;
      throw e;
    }
  }

  private void makeRoot() {
    try {
      Files.createDirectories(
          root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      throw new ContainerException(root + " is not a directory");
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot make the state directory " + root + ": " + IoReason.of(e), e);
    }
  }

  /// The lock on an existing container; empty where there is none.
  Optional<Claim> claim(String id, long millis) {
    return Claim.await(kernel, directory(id).toString(), millis);
  }

  /// A lock that only keeps others from deleting it; empty where there is none.
  Optional<Claim> claimShared(String id, long millis) {
    return Claim.awaitShared(kernel, directory(id).toString(), millis);
  }

  /// Writes the first state, for whoever finds the container half made.
  void begin(Claim claim, StoredState state) {
    int flags = FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_EXCL | FileCall.O_CLOEXEC;
    claim.keep(
        OwnedDescriptor.open(
            kernel, new FileCall.Openat(claim.descriptor(), STATE, flags, 0600, true)));
    write(claim.kept(), line(state));
  }

  /// Makes the container complete.
  void complete(Claim claim, byte[] config, StoredState state) {
    byte[] line = line(state);
    byte[] all = Arrays.copyOf(line, line.length + config.length + 1);
    System.arraycopy(config, 0, all, line.length, config.length);
    write(claim.kept(), all);
  }

  /// Says that the program of a container just made has started.
  void started(Claim claim) {
    write(claim.kept(), STARTED);
    claim.keep(null);
  }

  private static byte[] line(StoredState state) {
    return (state.toJson().toText("") + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private void write(Descriptor file, byte[] bytes) {
    for (int at = 0; at < bytes.length; ) {
      byte[] rest = at == 0 ? bytes : Arrays.copyOfRange(bytes, at, bytes.length);
      at += kernel.call(new FileCall.Write(file, rest));
    }
  }

  /// A container as it is on disk.
  ///
  /// @param config as it was at create; null where the container is half made
  /// @param started whether its program has surely started
  record Stored(StoredState state, byte @Nullable [] config, boolean started) {}

  /// What is known of a container; empty where there is nothing, or nothing yet.
  Optional<Stored> find(String id) {
    String path = directory(id) + "/" + STATE;
    byte[] bytes = read(path);
    int first = newline(bytes, 0);
    if (first < 0) return Optional.empty();
    int second = newline(bytes, first + 1);
    int end = second < 0 ? -1 : zero(bytes, second + 1);
    if (end < 0)
      return Optional.of(
          new Stored(StoredState.read(path, Arrays.copyOf(bytes, first)), null, false));
    return Optional.of(
        new Stored(
            StoredState.read(path, Arrays.copyOfRange(bytes, first + 1, second)),
            Arrays.copyOfRange(bytes, second + 1, end),
            bytes.length > end + 1));
  }

  /// The name of the user who owns the container; its number where it has no name. What is root's
  /// is known without asking.
  String owner(String id) {
    try {
      int uid = kernel.call(new FileCall.Statx(Descriptor.CWD, directory(id).toString(), 0)).uid();
      return uid == 0
          ? "root"
          : Accounts.userName(uid).orElseGet(() -> Integer.toUnsignedString(uid));
    } catch (KernelException e) {
      return "";
    }
  }

  /// Exchanges the kept config for one with other limits. The file is written aside, where a crash
  /// may leave it without harm.
  void replaceConfig(String id, StoredState state, byte[] config) {
    byte[] line = line(state);
    byte[] all = Arrays.copyOf(line, 2 * line.length + config.length + 1);
    System.arraycopy(line, 0, all, line.length, line.length);
    System.arraycopy(config, 0, all, 2 * line.length, config.length);
    Path fresh = root.resolve("." + id + ".state");
    int flags = FileCall.O_WRONLY | FileCall.O_TRUNC;
    try (OwnedDescriptor owned =
        OwnedDescriptor.open(kernel, FileCall.Openat.creating(fresh.toString(), flags, 0600))) {
      write(owned.descriptor(), all);
    }
    String path = directory(id) + "/" + STATE;
    kernel.call(new FileCall.Renameat2(Descriptor.CWD, fresh.toString(), Descriptor.CWD, path, 0));
  }

  private static int newline(byte[] bytes, int from) {
    for (int i = from; i < bytes.length; i++) if (bytes[i] == '\n') return i;
    return -1;
  }

  /// JSON has no zero byte, so the first one ends it.
  private static int zero(byte[] bytes, int from) {
    for (int i = bytes.length - 1; i >= Math.max(from, bytes.length - 2); i--)
      if (bytes[i] == 0) return i;
    return -1;
  }

  /// Empty where there is no such file.
  private byte[] read(String path) {
    Descriptor opened;
    try {
      opened = kernel.call(FileCall.Openat.existing(path, FileCall.O_RDONLY));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT) || e.errno().equals(Errno.ENOTDIR)) return NOTHING;
      throw new KernelException(e.call(), e.errno(), "reading a container's state");
    }
    try (OwnedDescriptor file = new OwnedDescriptor(kernel, opened)) {
      byte[] all = kernel.call(new FileCall.Read(file.descriptor(), CHUNK));
      for (byte[] more = all; more.length == CHUNK; ) {
        more = kernel.call(new FileCall.Read(file.descriptor(), CHUNK));
        int size = all.length;
        all = Arrays.copyOf(all, size + more.length);
        System.arraycopy(more, 0, all, size, more.length);
      }
      return all;
    }
  }

  Stored load(String id) {
    ContainerId.check(id);
    return find(id).orElseThrow(() -> new ContainerException("container does not exist"));
  }

  /// Fails where the directory is missing.
  void check() {
    if (!Files.exists(root))
      throw new ContainerException("open " + root + ": no such file or directory");
  }

  List<String> ids() {
    List<String> ids = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(root)) {
      for (Path entry : entries)
        if (Files.isDirectory(entry)) ids.add(entry.getFileName().toString());
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot list the state directory " + root + ": " + IoReason.of(e), e);
    }
    ids.sort(null);
    return ids;
  }

  /// The directory of a container, to be known from that of a later one of its name.
  OwnedDescriptor open(String id) {
    int flags = FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC;
    try {
      return OwnedDescriptor.open(
          kernel, new FileCall.Openat(Descriptor.CWD, directory(id).toString(), flags, 0, true));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) throw new ContainerException("container does not exist");
      throw e;
    }
  }

  /// Says that a created container's program has started.
  void started(OwnedDescriptor directory) {
    unlink(directory.descriptor(), SOCKET, 0);
    int flags = FileCall.O_WRONLY | FileCall.O_APPEND | FileCall.O_CLOEXEC;
    Descriptor file;
    try {
      file = kernel.call(new FileCall.Openat(directory.descriptor(), STATE, flags, 0, true));
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return; // it has ended and was deleted
      throw e;
    }
    try (OwnedDescriptor state = new OwnedDescriptor(kernel, file)) {
      write(state.descriptor(), STARTED);
    }
  }

  /// Gives the id back; a directory that lost its name already may have left that to another's.
  void delete(Claim claim, String id) {
    delete(claim, id, false);
  }

  /// @param namesHosts whether the container has files of its own that name hosts, most likely
  void delete(Claim claim, String id, boolean namesHosts) {
    if (!claim.exists()) return;
    unlink(claim.descriptor(), STATE, 0);
    if (!namesHosts && isRemoved(id)) return;
    // mostly it has no other files than these, which need not be looked for
    for (String name : NameFiles.ALL) unlink(claim.descriptor(), name, 0);
    if (isRemoved(id)) return;
    for (String name : names(id)) remove(claim.descriptor(), directory(id), name);
    unlink(Descriptor.CWD, directory(id).toString(), FileCall.AT_REMOVEDIR);
  }

  /// Removes the directory, where nothing is in it any more.
  private boolean isRemoved(String id) {
    try {
      unlink(Descriptor.CWD, directory(id).toString(), FileCall.AT_REMOVEDIR);
      return true;
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOTEMPTY)) throw e;
      return false;
    }
  }

  /// A file, or a directory with its files: nothing here is deeper.
  private void remove(Descriptor parent, Path path, String name) {
    try {
      unlink(parent, name, 0);
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.EISDIR)) throw e;
      Path below = path.resolve(name);
      for (String each : names(below)) unlink(Descriptor.CWD, below.resolve(each).toString(), 0);
      unlink(parent, name, FileCall.AT_REMOVEDIR);
    }
  }

  private List<String> names(String id) {
    return names(directory(id));
  }

  private static List<String> names(Path directory) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      List<String> names = new ArrayList<>();
      for (Path entry : entries) names.add(entry.getFileName().toString());
      return names;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + directory + ": " + IoReason.of(e), e);
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
