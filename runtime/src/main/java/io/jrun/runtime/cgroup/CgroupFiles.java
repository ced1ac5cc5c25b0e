package io.jrun.runtime.cgroup;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.DirectoryEntry;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Files and directories of a cgroup filesystem, with as few calls as they need.
record CgroupFiles(Kernel kernel, CgroupTop top) {
  private static final int CHUNK = 8192;

  OwnedDescriptor open(String path, int flags) {
    CgroupTop.Place place = top.place(path);
    return OwnedDescriptor.open(
        kernel,
        new FileCall.Openat(place.directory(), place.path(), flags | FileCall.O_CLOEXEC, 0, false));
  }

  void write(String path, String value) {
    try (OwnedDescriptor file = open(path, FileCall.O_WRONLY)) {
      write(file, value);
    }
  }

  /// One write(2): these files take a value whole or not at all.
  void write(OwnedDescriptor file, String value) {
    kernel.call(new FileCall.Write(file.descriptor(), value.getBytes(StandardCharsets.UTF_8)));
  }

  String read(String path) {
    try (OwnedDescriptor file = open(path, FileCall.O_RDONLY)) {
      return read(file);
    }
  }

  /// The text of an open file from its beginning.
  String read(OwnedDescriptor file) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    while (true) {
      byte[] chunk = kernel.call(new FileCall.Pread(file.descriptor(), CHUNK, text.size()));
      if (chunk.length == 0) return text.toString(StandardCharsets.UTF_8);
      text.writeBytes(chunk);
    }
  }

  Optional<String> readIfThere(String path) {
    try {
      return Optional.of(read(path));
    } catch (KernelException e) {
      if (!gone(e)) throw e;
      return Optional.empty();
    }
  }

  /// Makes a directory: whether it was not there before.
  boolean mkdir(String path) {
    CgroupTop.Place place = top.place(path);
    try {
      kernel.call(new FileCall.Mkdirat(place.directory(), place.path(), 0755));
      return true;
    } catch (KernelException e) {
      if (is(e, Errno.EEXIST)) return false;
      throw e;
    }
  }

  void chown(String path, int uid) {
    CgroupTop.Place place = top.place(path);
    kernel.call(
        new FileCall.Fchownat(
            place.directory(), place.path(), uid, -1, FileCall.AT_SYMLINK_NOFOLLOW));
  }

  void rmdir(String path) {
    CgroupTop.Place place = top.place(path);
    kernel.call(new FileCall.Unlinkat(place.directory(), place.path(), FileCall.AT_REMOVEDIR));
  }

  /// The names of the directories below; none when the directory itself is gone.
  List<String> children(String path) {
    List<String> names = new ArrayList<>();
    try (OwnedDescriptor directory = open(path, FileCall.O_RDONLY | FileCall.O_DIRECTORY)) {
      while (true) {
        byte[] entries = kernel.call(new FileCall.Getdents(directory.descriptor()));
        if (entries.length == 0) return names;
        for (DirectoryEntry entry : DirectoryEntry.parse(entries))
          if (entry.type() == DirectoryEntry.DT_DIR) names.add(entry.name());
      }
    } catch (KernelException e) {
      if (!gone(e)) throw e;
      return names;
    }
  }

  static boolean is(KernelException e, Errno errno) {
    return e.errno().value() == errno.value();
  }

  /// A file of a cgroup that was removed after it was opened reads as ENODEV.
  static boolean gone(KernelException e) {
    return is(e, Errno.ENOENT) || is(e, Errno.ENODEV);
  }
}
