package io.jrun.rootfs.pack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DirectoryEntry;
import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Names;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.TreeCall;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Reads a tree by a process with the caller's rights, beneath its root and not through symbolic
/// links.
final class TreeReader {
  private static final int BENEATH =
      FileCall.RESOLVE_BENEATH | FileCall.RESOLVE_NO_SYMLINKS | FileCall.RESOLVE_NO_MAGICLINKS;
  private static final int AT_ONCE = 500;

  /// Enough for the names of one attribute or two; more are asked for again.
  private static final int NAMES = 128;

  private static final int VALUE = 65536;

  /// Of the first reading of a directory, enough for some hundred names, and of the one behind it,
  /// which mostly reads the end only.
  private static final int FIRST = 8192;

  private static final int END = 512;

  private final HelperKernel kernel;
  private final Descriptor root;

  /// What the next batch closes, so that no message is sent for it alone.
  private final List<Descriptor> used = new ArrayList<>();

  /// @param path of the root, as the caller gave it
  TreeReader(HelperKernel kernel, String path) {
    this.kernel = kernel;
    this.root = kernel.call(FileCall.Openat.directory(path));
  }

  FileCall.Openat2 open(String path, int flags, boolean returned) {
    return new FileCall.Openat2(
        root, path.isEmpty() ? "." : path, flags | FileCall.O_CLOEXEC, 0, BENEATH, returned);
  }

  private Batch batch() {
    Batch batch = new Batch();
    used.forEach(file -> batch.add(new FileCall.Close(file)));
    used.clear();
    return batch;
  }

  Node root() {
    Descriptor here = kernel.call(open("", FileCall.O_RDONLY | FileCall.O_DIRECTORY, false));
    used.add(here);
    return describe("", here, List.of(new DirectoryEntry(".", DirectoryEntry.DT_DIR))).getFirst();
  }

  /// What is in a directory, in the order of the names' bytes.
  List<Node> children(String path) {
    Batch batch = batch();
    Pending<Descriptor> opened =
        batch.add(open(path, FileCall.O_RDONLY | FileCall.O_DIRECTORY, false));
    Pending<byte[]> first = batch.add(new FileCall.Getdents(opened.descriptor(), FIRST));
    Pending<byte[]> second = batch.add(new FileCall.Getdents(opened.descriptor(), END));
    Results results = kernel.run(batch);
    Descriptor here = results.of(opened);
    List<DirectoryEntry> listed = new ArrayList<>(DirectoryEntry.parse(results.of(first)));
    byte[] records = results.of(second);
    while (records.length > 0) {
      listed.addAll(DirectoryEntry.parse(records));
      records = kernel.call(new FileCall.Getdents(here));
    }
    listed = inOrder(listed);
    List<Node> nodes = new ArrayList<>();
    for (int from = 0; from < listed.size(); from += AT_ONCE) {
      int to = Math.min(listed.size(), from + AT_ONCE);
      nodes.addAll(describe(path, here, listed.subList(from, to)));
    }
    used.add(here);
    return nodes;
  }

  private static List<DirectoryEntry> inOrder(List<DirectoryEntry> names) {
    record Keyed(byte[] key, DirectoryEntry name) {}
    return names.stream()
        .map(name -> new Keyed(Names.encode(name.name()), name))
        .sorted((a, b) -> Arrays.compareUnsigned(a.key(), b.key()))
        .map(Keyed::name)
        .toList();
  }

  private List<Node> describe(String path, Descriptor here, List<DirectoryEntry> names) {
    Batch batch = new Batch();
    batch.add(new ProcessCall.Fchdir(here));
    List<Pending<EntryStat>> stats = new ArrayList<>();
    List<Optional<Pending<String>>> links = new ArrayList<>();
    List<Pending<byte[]>> xattrs = new ArrayList<>();
    for (DirectoryEntry name : names) {
      stats.add(batch.add(new TreeCall.StatEntry(here, name.name())));
      boolean mayBeLink =
          name.type() == DirectoryEntry.DT_LNK || name.type() == DirectoryEntry.DT_UNKNOWN;
      links.add(
          mayBeLink
              ? Optional.of(batch.add(new FileCall.Readlinkat(here, name.name()), Errno.EINVAL))
              : Optional.empty());
      xattrs.add(
          batch.add(new TreeCall.Llistxattr(name.name(), NAMES), Errno.EOPNOTSUPP, Errno.ERANGE));
    }
    Results results = kernel.run(batch);
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i).name();
      Pending<byte[]> list = xattrs.get(i);
      boolean hasNone =
          results.succeeded(list)
              ? results.of(list).length == 0
              : results.errno(list) == Errno.EOPNOTSUPP.value();
      nodes.add(
          new Node(
              name.equals(".") ? "" : path.isEmpty() ? name : path + "/" + name,
              results.of(stats.get(i)),
              links.get(i).filter(results::succeeded).map(results::of).orElse(""),
              hasNone ? Map.of() : attributes(name)));
    }
    return nodes;
  }

  /// Of a file in the working directory, which the batch before entered.
  private Map<String, byte[]> attributes(String name) {
    Map<String, byte[]> attributes = new TreeMap<>();
    byte[] list = kernel.call(new TreeCall.Llistxattr(name, VALUE));
    int start = 0;
    for (int i = 0; i < list.length; i++) {
      if (list[i] != 0) continue;
      String key = Names.decode(list, start, i - start);
      start = i + 1;
      try {
        attributes.put(key, kernel.call(new TreeCall.Lgetxattr(name, key, VALUE)));
      } catch (KernelException e) {
        // it was taken away meanwhile, or only others may read it
        if (e.errno().value() != 61 && !e.errno().equals(Errno.EPERM)) throw e;
      }
    }
    return attributes;
  }

  /// Files' contents, as descriptors of the engine in the order of the nodes.
  List<OwnedDescriptor> contents(List<Node> files) {
    if (files.isEmpty()) return List.of();
    Batch batch = batch();
    List<Pending<Descriptor>> opened = new ArrayList<>();
    for (Node file : files) {
      opened.add(batch.add(open(file.path(), FileCall.O_RDONLY | FileCall.O_NONBLOCK, true)));
    }
    Results results = kernel.run(batch);
    // only later: they must be open when the answer takes them along
    for (Pending<Descriptor> file : opened) used.add(results.of(file));
    return results.descriptors();
  }
}
