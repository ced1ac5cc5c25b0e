package io.jrun.kernel.call;

import org.jspecify.annotations.Nullable;

/// What makes a tree of files and describes its entries: links, times, extended attributes, and
/// content that lies in memory which the performing process has mapped.
public sealed interface TreeCall<R> extends HostCall<R> {
  /// In place of nanoseconds: leave this time as it is.
  long UTIME_OMIT = 0x3ffffffe;

  /// A call that answers only that it succeeded.
  sealed interface Action extends TreeCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// A call that answers its return value: how many bytes, or where.
  sealed interface Counting extends TreeCall<Long> {
    @Override
    default Long result(long value, Output output) {
      return value;
    }
  }

  /// A call that answers as many bytes as its return value says.
  sealed interface Reading extends TreeCall<byte[]> {
    @Override
    default byte[] result(long value, Output output) {
      return output.bytes((int) value);
    }
  }

  /// read(2) into memory of the performing process: how many bytes came, 0 at the end.
  record ReadInto(Descriptor descriptor, long address, long size) implements Counting {
    @Override
    public Number number() {
      return Number.READ;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(address).value(size);
    }
  }

  /// pread64(2) into memory of the performing process: how many bytes came, 0 at the end.
  record PreadInto(Descriptor descriptor, long address, long size, long offset)
      implements Counting {
    @Override
    public Number number() {
      return Number.PREAD64;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(address).value(size).value(offset);
    }
  }

  /// pwrite64(2) from memory of the performing process: how many bytes were taken.
  record PwriteFrom(Descriptor descriptor, long address, long size, long offset)
      implements Counting {
    @Override
    public Number number() {
      return Number.PWRITE64;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(address).value(size).value(offset);
    }
  }

  /// lseek(2): the new offset.
  record Lseek(Descriptor descriptor, long offset, int whence) implements Counting {
    @Override
    public Number number() {
      return Number.LSEEK;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(offset).value(whence);
    }
  }

  /// linkat(2), which does not follow a symbolic link.
  record Linkat(Descriptor fromDirectory, String from, Descriptor toDirectory, String onto)
      implements Action {
    @Override
    public Number number() {
      return Number.LINKAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(fromDirectory).string(from).descriptor(toDirectory).string(onto).value(0);
    }
  }

  /// utimensat(2), which does not follow a symbolic link; without a path it is the descriptor's
  /// file. Nanoseconds may be UTIME_OMIT.
  record Utimensat(
      Descriptor directory,
      @Nullable String path,
      long accessSeconds,
      long accessNanos,
      long modifySeconds,
      long modifyNanos)
      implements Action {
    @Override
    public Number number() {
      return Number.UTIMENSAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory)
          .string(path)
          .struct(t ->
              t.u64("atime_sec", accessSeconds)
                  .u64("atime_nsec", accessNanos)
                  .u64("mtime_sec", modifySeconds)
                  .u64("mtime_nsec", modifyNanos))
          .value(path == null ? 0 : FileCall.AT_SYMLINK_NOFOLLOW);
    }
  }

  /// fchown(2).
  record Fchown(Descriptor descriptor, int uid, int gid) implements Action {
    @Override
    public Number number() {
      return Number.FCHOWN;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(uid).value(gid);
    }
  }

  /// fsetxattr(2).
  record Fsetxattr(Descriptor descriptor, String name, byte[] value) implements Action {
    @Override
    public Number number() {
      return Number.FSETXATTR;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).string(name).bytes(value).value(value.length).value(0);
    }
  }

  /// lsetxattr(2) of a path in the working directory.
  record Lsetxattr(String path, String name, byte[] value) implements Action {
    @Override
    public Number number() {
      return Number.LSETXATTR;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(path).string(name).bytes(value).value(value.length).value(0);
    }
  }

  /// fremovexattr(2).
  record Fremovexattr(Descriptor descriptor, String name) implements Action {
    @Override
    public Number number() {
      return Number.FREMOVEXATTR;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).string(name);
    }
  }

  /// fgetxattr(2) of at most `size` bytes.
  record Fgetxattr(Descriptor descriptor, String name, int size) implements Reading {
    @Override
    public Number number() {
      return Number.FGETXATTR;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).string(name).out(size).value(size);
    }
  }

  /// lgetxattr(2) of at most `size` bytes, of a path in the working directory.
  record Lgetxattr(String path, String name, int size) implements Reading {
    @Override
    public Number number() {
      return Number.LGETXATTR;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(path).string(name).out(size).value(size);
    }
  }

  /// flistxattr(2): names, each ended by NUL.
  record Flistxattr(Descriptor descriptor, int size) implements Reading {
    @Override
    public Number number() {
      return Number.FLISTXATTR;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).out(size).value(size);
    }
  }

  /// llistxattr(2) of a path in the working directory: names, each ended by NUL.
  record Llistxattr(String path, int size) implements Reading {
    @Override
    public Number number() {
      return Number.LLISTXATTR;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(path).out(size).value(size);
    }
  }

  /// ioctl_ficlone(2): the file shares the other's content until one of them is written.
  record Ficlone(Descriptor descriptor, Descriptor from) implements Action {
    @Override
    public Number number() {
      return Number.IOCTL;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(0x40049409).descriptor(from);
    }
  }

  /// fsync(2).
  record Fsync(Descriptor descriptor) implements Action {
    @Override
    public Number number() {
      return Number.FSYNC;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor);
    }
  }

  /// syncfs(2): the whole file system that the descriptor is on.
  record Syncfs(Descriptor descriptor) implements Action {
    @Override
    public Number number() {
      return Number.SYNCFS;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor);
    }
  }

  /// fchmodat2(2), Linux 6.6, which does not follow a symbolic link.
  record Fchmodat2(Descriptor directory, String path, int mode) implements Action {
    @Override
    public Number number() {
      return Number.FCHMODAT2;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).octal(mode).value(FileCall.AT_SYMLINK_NOFOLLOW);
    }
  }

  /// fcntl(2) with F_DUPFD_CLOEXEC: the descriptor's duplicate, which comes back to the engine.
  record Duplicate(Descriptor descriptor) implements TreeCall<Descriptor> {
    private static final int F_DUPFD_CLOEXEC = 1030;

    @Override
    public Number number() {
      return Number.FCNTL;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(F_DUPFD_CLOEXEC).value(3);
    }

    @Override
    public Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }

    @Override
    public boolean returnsDescriptor() {
      return true;
    }
  }

  /// statx(2) of what an archive records, without following a symbolic link; an empty path is the
  /// descriptor itself.
  record StatEntry(Descriptor directory, String path) implements TreeCall<EntryStat> {
    @Override
    public Number number() {
      return Number.STATX;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory)
          .string(path)
          .flags(
              FileCall.AT,
              FileCall.AT_SYMLINK_NOFOLLOW | (path.isEmpty() ? FileCall.AT_EMPTY_PATH : 0))
          .value(0x7ff)
          .out(EntryStat.SIZE);
    }

    @Override
    public EntryStat result(long value, Output output) {
      return EntryStat.of(output.buffer());
    }
  }

  /// write(2) from memory of the performing process: how many bytes were taken.
  record WriteFrom(Descriptor descriptor, long address, long size) implements Counting {
    @Override
    public Number number() {
      return Number.WRITE;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).value(address).value(size);
    }
  }
}
