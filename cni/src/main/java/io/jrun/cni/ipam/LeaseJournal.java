package io.jrun.cni.ipam;

import io.jrun.cni.address.IpAddress;
import io.jrun.cni.file.Replacement;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.specs.cni.Attachment;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Leases on disk: a line for each that was given or returned, appended with one write. A line that
/// a crash cut off is not there; whoever holds the lock cuts it away. What others have appended is
/// read when the lock is next taken, the rest is remembered.
///
/// ```
///   + 10.244.1.2 c1 eth0 /run/netns/a
///   - 10.244.1.2
/// ```
final class LeaseJournal {
  private static final int CHUNK = 1 << 20;
  private static final int MIN_LINES = 512;

  private final Kernel kernel;
  private final Path path;
  private @Nullable OwnedDescriptor file;
  private Leases leases = new Leases();
  private long inode;
  private long read;
  private int lines;

  LeaseJournal(Kernel kernel, Path path) {
    this.kernel = kernel;
    this.path = path;
  }

  /// What holds now; the caller holds the lock for as long as it relies on it.
  Leases refresh() {
    Stat stat = stat();
    if (stat.size() < read) reset();
    if (stat.size() > read) apply(file(), stat.size());
    return leases;
  }

  /// What holds at this moment, where all of the journal is known already: then there is nothing to
  /// be locked.
  Optional<Leases> current() {
    if (file == null) return Optional.empty();
    try {
      Stat stat = kernel.call(new FileCall.Statx(Descriptor.CWD, path.toString(), 0));
      boolean isKnown = stat.inode() == inode && stat.size() == read;
      return isKnown ? Optional.of(leases) : Optional.empty();
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return Optional.empty();
      throw e;
    }
  }

  private void reset() {
    leases = new Leases();
    read = 0;
    lines = 0;
  }

  /// The journal of this moment. It stays open, so that no other one can get its inode's number.
  private Stat stat() {
    try {
      Stat stat = kernel.call(new FileCall.Statx(Descriptor.CWD, path.toString(), 0));
      if (file != null && stat.inode() == inode) return stat;
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e; // not there yet: it is made below
    }
    if (file != null) file.close();
    file = open();
    reset();
    Stat stat = kernel.call(new FileCall.Statx(file.descriptor(), "", FileCall.AT_EMPTY_PATH));
    inode = stat.inode();
    return stat;
  }

  private OwnedDescriptor file() {
    if (file == null) throw new IllegalStateException("the journal has not been read");
    return file;
  }

  private OwnedDescriptor open() {
    int flags = FileCall.O_RDWR | FileCall.O_APPEND;
    return OwnedDescriptor.open(kernel, FileCall.Openat.creating(path.toString(), flags, 0600));
  }

  private void apply(OwnedDescriptor file, long size) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (long at = read; at < size; ) {
      int wanted = (int) Math.min(CHUNK, size - at);
      byte[] bytes = kernel.call(new FileCall.Pread(file.descriptor(), wanted, at));
      if (bytes.length == 0) break;
      all.writeBytes(bytes);
      at += bytes.length;
    }
    byte[] bytes = all.toByteArray();
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != '\n') continue;
      apply(new String(bytes, start, i - start, StandardCharsets.UTF_8));
      start = i + 1;
    }
    read += start;
    if (start < bytes.length) kernel.call(new FileCall.Ftruncate(file.descriptor(), read));
  }

  private void apply(String line) {
    lines++;
    String[] words = line.split(" ", 5);
    IpAddress address = words.length < 2 ? null : IpAddress.parse(words[1]).orElse(null);
    if (address != null && words[0].equals("+") && words.length == 5) {
      leases.add(new Lease(address, new Attachment(words[2], words[3]), words[4]));
    } else if (address != null && words[0].equals("-") && words.length == 2) {
      leases.remove(address);
    } else {
      throw new IllegalStateException(path + ": line " + lines + " is damaged: \"" + line + "\"");
    }
  }

  static String line(Lease lease) {
    Attachment holder = lease.holder();
    String netns = lease.netns().indexOf('\n') >= 0 ? "" : lease.netns();
    return "+ "
        + lease.address()
        + " "
        + holder.containerId()
        + " "
        + holder.ifname()
        + " "
        + netns
        + "\n";
  }

  static String line(IpAddress released) {
    return "- " + released + "\n";
  }

  /// Appends lines that [#line] made, as one; the caller holds the lock.
  void append(List<String> more) {
    byte[] bytes = String.join("", more).getBytes(StandardCharsets.UTF_8);
    Descriptor journal = file().descriptor();
    int written = kernel.call(new FileCall.Write(journal, bytes));
    if (written < bytes.length) {
      kernel.call(new FileCall.Ftruncate(journal, read));
      throw new IllegalStateException(path + ": only a part could be written");
    }
    for (String line : more) apply(line.substring(0, line.length() - 1));
    read += bytes.length;
    if (lines > MIN_LINES && lines > 4 * leases.size()) compact();
  }

  /// Writes what holds as a new journal, the released addresses in their order.
  private void compact() {
    StringBuilder text = new StringBuilder();
    for (IpAddress address : leases.released()) text.append(line(address));
    for (Lease lease : leases.all()) text.append(line(lease));
    Replacement.write(kernel, path, text.toString().getBytes(StandardCharsets.UTF_8), 0600);
  }
}
