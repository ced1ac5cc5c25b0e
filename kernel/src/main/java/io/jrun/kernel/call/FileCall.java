package io.jrun.kernel.call;

import java.nio.ByteBuffer;

/// Files and directories.
public sealed interface FileCall<R> extends HostCall<R> {
  boolean ARM = "aarch64".equals(System.getProperty("os.arch"));
  int O_RDONLY = 0;
  int O_WRONLY = 1;
  int O_RDWR = 2;
  int O_CREAT = 0100;
  int O_EXCL = 0200;
  int O_NOCTTY = 0400;
  int O_TRUNC = 01000;
  int O_APPEND = 02000;
  int O_NONBLOCK = 04000;
  int O_DIRECTORY = ARM ? 040000 : 0200000;
  int O_NOFOLLOW = ARM ? 0100000 : 0400000;
  int O_CLOEXEC = 02000000;
  int O_PATH = 010000000;
  Flags OPEN =
      Flags.masked(
          3,
          O_RDONLY,
          "O_RDONLY",
          O_WRONLY,
          "O_WRONLY",
          O_RDWR,
          "O_RDWR",
          O_CREAT,
          "O_CREAT",
          O_EXCL,
          "O_EXCL",
          O_NOCTTY,
          "O_NOCTTY",
          O_TRUNC,
          "O_TRUNC",
          O_APPEND,
          "O_APPEND",
          O_NONBLOCK,
          "O_NONBLOCK",
          O_DIRECTORY,
          "O_DIRECTORY",
          O_NOFOLLOW,
          "O_NOFOLLOW",
          O_CLOEXEC,
          "O_CLOEXEC",
          O_PATH,
          "O_PATH");
  int RENAME_NOREPLACE = 1;
  int RESOLVE_NO_XDEV = 1;
  int RESOLVE_NO_MAGICLINKS = 2;
  int RESOLVE_NO_SYMLINKS = 4;
  int RESOLVE_BENEATH = 8;
  int RESOLVE_IN_ROOT = 16;
  Flags RESOLVE =
      Flags.bits(
          RESOLVE_NO_XDEV,
          "RESOLVE_NO_XDEV",
          RESOLVE_NO_MAGICLINKS,
          "RESOLVE_NO_MAGICLINKS",
          RESOLVE_NO_SYMLINKS,
          "RESOLVE_NO_SYMLINKS",
          RESOLVE_BENEATH,
          "RESOLVE_BENEATH",
          RESOLVE_IN_ROOT,
          "RESOLVE_IN_ROOT");
  int AT_SYMLINK_NOFOLLOW = 0x100;
  int AT_REMOVEDIR = 0x200;
  int AT_EACCESS = 0x200;
  int AT_EMPTY_PATH = 0x1000;
  int AT_RECURSIVE = 0x8000;
  Flags AT =
      Flags.bits(
          AT_SYMLINK_NOFOLLOW,
          "AT_SYMLINK_NOFOLLOW",
          AT_EMPTY_PATH,
          "AT_EMPTY_PATH",
          AT_RECURSIVE,
          "AT_RECURSIVE");
  int MFD_CLOEXEC = 1;
  int MFD_ALLOW_SEALING = 2;
  int LOCK_SH = 1;
  int LOCK_EX = 2;
  int LOCK_NB = 4;
  int LOCK_UN = 8;
  int F_OK = 0;
  int X_OK = 1;

  /// A call that answers only that it succeeded.
  sealed interface Action extends FileCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// A call that answers a descriptor of the process that performed it.
  sealed interface Opening extends FileCall<Descriptor> {
    @Override
    default Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }
  }

  /// A call that answers as many bytes as its return value says.
  sealed interface Reading extends FileCall<byte[]> {
    @Override
    default byte[] result(long value, Output output) {
      return output.bytes((int) value);
    }
  }

  /// A call that answers its return value: how much, or how many.
  sealed interface Counting extends FileCall<Integer> {
    @Override
    default Integer result(long value, Output output) {
      return (int) value;
    }
  }

  /// openat(2); the descriptor comes back to the engine when `returned`.
  record Openat(Descriptor directory, String path, int flags, int mode, boolean returned)
      implements Opening {
    /// Opens what exists, from the working directory, close-on-exec.
    public static Openat existing(String path, int flags) {
      return new Openat(Descriptor.CWD, path, flags | O_CLOEXEC, 0, false);
    }

    /// Opens a directory to read it, from the working directory, close-on-exec.
    public static Openat directory(String path) {
      return existing(path, O_RDONLY | O_DIRECTORY);
    }

    /// Opens a file, from the working directory, close-on-exec, and makes it where it is missing.
    public static Openat creating(String path, int flags, int mode) {
      return new Openat(Descriptor.CWD, path, flags | O_CREAT | O_CLOEXEC, mode, false);
    }

    @Override
    public Number number() {
      return Number.OPENAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).flags(OPEN, flags).octal(mode);
    }

    @Override
    public boolean returnsDescriptor() {
      return returned;
    }
  }

  /// openat2(2), Linux 5.6.
  record Openat2(
      Descriptor directory, String path, int flags, int mode, int resolve, boolean returned)
      implements Opening {
    @Override
    public Number number() {
      return Number.OPENAT2;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory)
          .string(path)
          .struct(how ->
              how.flags64("flags", OPEN, flags)
                  .u64("mode", mode)
                  .flags64("resolve", RESOLVE, resolve))
          .value(24);
    }

    @Override
    public boolean returnsDescriptor() {
      return returned;
    }
  }

  /// close(2).
  record Close(Descriptor descriptor) implements Action {
    @Override
    public Number number() {
      return Number.CLOSE;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor);
    }
  }

  /// read(2) of at most `size` bytes.
  record Read(Descriptor descriptor, int size) implements Reading {
    @Override
    public Number number() {
      return Number.READ;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).out(size).value(size);
    }
  }

  /// pread64(2).
  record Pread(Descriptor descriptor, int size, long offset) implements Reading {
    @Override
    public Number number() {
      return Number.PREAD64;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).out(size).value(size).value(offset);
    }
  }

  /// write(2): how many bytes were taken.
  record Write(Descriptor descriptor, byte[] bytes) implements Counting {
    @Override
    public Number number() {
      return Number.WRITE;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).bytes(bytes).value(bytes.length);
    }
  }

  /// pwrite64(2): how many bytes were taken.
  record Pwrite(Descriptor descriptor, byte[] bytes, long offset) implements Counting {
    @Override
    public Number number() {
      return Number.PWRITE64;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).bytes(bytes).value(bytes.length).value(offset);
    }
  }

  /// sendfile(2) of the input's next bytes: how many went.
  record Sendfile(Descriptor to, Descriptor from, long count) implements FileCall<Long> {
    @Override
    public Number number() {
      return Number.SENDFILE;
    }

    @Override
    public void arguments(Arguments arguments) {
      arguments.descriptor(to).descriptor(from).bytes(null).value(count);
    }

    @Override
    public Long result(long value, Output output) {
      return value;
    }
  }

  /// readlinkat(2) of at most 4095 bytes.
  record Readlinkat(Descriptor directory, String path) implements FileCall<String> {
    @Override
    public Number number() {
      return Number.READLINKAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).out(4096).value(4095);
    }

    @Override
    public String result(long value, Output output) {
      return Names.decode(output.bytes((int) value));
    }
  }

  /// getdents64(2): raw directory entries, empty at the end.
  ///
  /// @param size of the buffer in bytes, at least 280 for the longest name. All of it is in the
  ///   answer, however little is read
  record Getdents(Descriptor directory, int size) implements Reading {
    public Getdents(Descriptor directory) {
      this(directory, 32768);
    }

    @Override
    public Number number() {
      return Number.GETDENTS64;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).out(size).value(size);
    }
  }

  /// mkdirat(2).
  record Mkdirat(Descriptor directory, String path, int mode) implements Action {
    @Override
    public Number number() {
      return Number.MKDIRAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).octal(mode);
    }
  }

  /// mknodat(2); `device` as makedev(3) encodes it.
  record Mknodat(Descriptor directory, String path, int mode, long device) implements Action {
    @Override
    public Number number() {
      return Number.MKNODAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).octal(mode).value(device);
    }
  }

  /// symlinkat(2).
  record Symlinkat(String target, Descriptor directory, String path) implements Action {
    @Override
    public Number number() {
      return Number.SYMLINKAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(target).descriptor(directory).string(path);
    }
  }

  /// unlinkat(2); AT_REMOVEDIR for a directory.
  record Unlinkat(Descriptor directory, String path, int flags) implements Action {
    @Override
    public Number number() {
      return Number.UNLINKAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).value(flags);
    }
  }

  /// renameat2(2).
  record Renameat2(
      Descriptor fromDirectory, String from, Descriptor toDirectory, String onto, int flags)
      implements Action {
    @Override
    public Number number() {
      return Number.RENAMEAT2;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(fromDirectory).string(from).descriptor(toDirectory).string(onto).value(flags);
    }
  }

  /// fchmod(2).
  record Fchmod(Descriptor descriptor, int mode) implements Action {
    @Override
    public Number number() {
      return Number.FCHMOD;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).octal(mode);
    }
  }

  /// fchmodat(2), which follows symbolic links.
  record Fchmodat(Descriptor directory, String path, int mode) implements Action {
    @Override
    public Number number() {
      return Number.FCHMODAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).octal(mode);
    }
  }

  /// fchownat(2).
  record Fchownat(Descriptor directory, String path, int uid, int gid, int flags)
      implements Action {
    @Override
    public Number number() {
      return Number.FCHOWNAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).value(uid).value(gid).flags(AT, flags);
    }
  }

  /// statx(2) of the basic fields.
  record Statx(Descriptor directory, String path, int flags) implements FileCall<Stat> {
    @Override
    public Number number() {
      return Number.STATX;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).flags(AT, flags).value(0x7ff).out(Stat.SIZE);
    }

    @Override
    public Stat result(long value, Output output) {
      return Stat.of(output.buffer());
    }
  }

  /// statx(2) of the mount that a file is on.
  record StatxMount(Descriptor directory, String path, int flags)
      implements FileCall<StatxMount.Mounted> {
    private static final int STATX_MNT_ID = 0x1000;
    private static final int STATX_MNT_ID_UNIQUE = 0x4000;
    private static final int STATX_ATTR_MOUNT_ROOT = 0x2000;

    /// What is said.
    ///
    /// @param id which no other mount ever has; before Linux 6.8 the one of proc_pid_mountinfo(5),
    ///   which a later one may have
    /// @param isRoot whether the file is what is mounted there
    public record Mounted(long id, boolean isRoot) {}

    @Override
    public Number number() {
      return Number.STATX;
    }

    @Override
    public void arguments(Arguments to) {
      int mask = STATX_MNT_ID | STATX_MNT_ID_UNIQUE;
      to.descriptor(directory).string(path).flags(AT, flags).value(mask).out(Stat.SIZE);
    }

    @Override
    public Mounted result(long value, Output output) {
      ByteBuffer b = output.buffer();
      return new Mounted(b.getLong(144), (b.getLong(8) & STATX_ATTR_MOUNT_ROOT) != 0);
    }
  }

  /// faccessat(2), by the real ids, which every seccomp filter knows.
  record Faccessat(Descriptor directory, String path, int mode) implements Action {
    @Override
    public Number number() {
      return Number.FACCESSAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).value(mode);
    }
  }

  /// faccessat2(2), Linux 5.8.
  record Faccessat2(Descriptor directory, String path, int mode, int flags) implements Action {
    @Override
    public Number number() {
      return Number.FACCESSAT2;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).value(mode).value(flags);
    }
  }

  /// fstatfs(2): the magic number of the filesystem.
  record Fstatfs(Descriptor descriptor) implements FileCall<Long> {
    @Override
    public Number number() {
      return Number.FSTATFS;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).out(128);
    }

    @Override
    public Long result(long value, Output output) {
      return output.buffer().getLong(0);
    }
  }

  /// flock(2).
  record Flock(Descriptor descriptor, int operation) implements Action {
    @Override
    public Number number() {
      return Number.FLOCK;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(operation);
    }
  }

  /// ftruncate(2).
  record Ftruncate(Descriptor descriptor, long size) implements Action {
    @Override
    public Number number() {
      return Number.FTRUNCATE;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(size);
    }
  }

  /// memfd_create(2).
  record MemfdCreate(String name, int flags) implements Opening {
    @Override
    public Number number() {
      return Number.MEMFD_CREATE;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(name).value(flags);
    }
  }
}
