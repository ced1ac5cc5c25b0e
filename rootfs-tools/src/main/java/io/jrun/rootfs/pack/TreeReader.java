package io.jrun.rootfs.pack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
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
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

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

  /// Where many are read at once, most are small.
  private static final int FIRST_OF_MANY = 2048;

  private final HelperKernel kernel;
  private final Descriptor root;

  /// What the next batch closes, so that no message is sent for it alone.
  private final List<Descriptor> used = new ArrayList<>();

  /// @param path of the root, as the caller gave it
  TreeReader(HelperKernel kernel, String path) {
    this.kernel = kernel;
    this.root = kernel.call("packing " + path, FileCall.Openat.directory(path));
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
    List<Node> root = new ArrayList<>();
    describe(
        List.of(
            new Listed("", here, List.of(new DirectoryEntry(".", DirectoryEntry.DT_DIR)), root)));
    return root.getFirst();
  }

  /// What is in a directory, in the order of the names' bytes.
  List<Node> children(String path) {
    return children(List.of(path)).getFirst();
  }

  /// The same for some directories, with few messages.
  List<List<Node>> children(List<String> paths) {
    Batch batch = batch();
    List<Pending<Descriptor>> opened = new ArrayList<>();
    List<Pending<byte[]>> first = new ArrayList<>();
    List<Pending<byte[]>> second = new ArrayList<>();
    for (String path : paths) {
      Pending<Descriptor> here =
          batch.add(open(path, FileCall.O_RDONLY | FileCall.O_DIRECTORY, false));
      opened.add(here);
      first.add(
          batch.add(
              new FileCall.Getdents(here.descriptor(), paths.size() > 1 ? FIRST_OF_MANY : FIRST)));
      second.add(batch.add(new FileCall.Getdents(here.descriptor(), END)));
    }
    Results results = kernel.run(batch);
    List<List<Node>> all = new ArrayList<>();
    List<Listed> waiting = new ArrayList<>();
    int count = 0;
    for (int i = 0; i < paths.size(); i++) {
      Descriptor here = results.of(opened.get(i));
      used.add(here);
      List<DirectoryEntry> names = new ArrayList<>(DirectoryEntry.parse(results.of(first.get(i))));
      byte[] records = results.of(second.get(i));
      while (records.length > 0) {
        names.addAll(DirectoryEntry.parse(records));
        Batch more = new Batch();
        Pending<byte[]> most = more.add(new FileCall.Getdents(here));
        Pending<byte[]> rest = more.add(new FileCall.Getdents(here, END));
        Results read = kernel.run(more);
        names.addAll(DirectoryEntry.parse(read.of(most)));
        records = read.of(rest);
      }
      names = inOrder(names);
      List<Node> nodes = new ArrayList<>(names.size());
      all.add(nodes);
      for (int from = 0; from < names.size(); from += AT_ONCE) {
        List<DirectoryEntry> some = names.subList(from, Math.min(names.size(), from + AT_ONCE));
        if (count + some.size() > AT_ONCE) {
          describe(waiting);
          waiting.clear();
          count = 0;
        }
        waiting.add(new Listed(paths.get(i), here, some, nodes));
        count += some.size();
      }
    }
    describe(waiting);
    return all;
  }

  private static List<DirectoryEntry> inOrder(List<DirectoryEntry> names) {
    record Keyed(byte[] key, DirectoryEntry name) {}
    return names.stream()
        .map(name -> new Keyed(Names.encode(name.name()), name))
        .sorted((a, b) -> Arrays.compareUnsigned(a.key(), b.key()))
        .map(Keyed::name)
        .toList();
  }

  /// Names of a directory, and where their description goes.
  private record Listed(
      String path, Descriptor here, List<DirectoryEntry> names, List<Node> nodes) {}

  private record Asked(
      Pending<EntryStat> stat, @Nullable Pending<String> link, Pending<byte[]> xattrs) {}

  private void describe(List<Listed> directories) {
    if (directories.isEmpty()) return;
    Batch batch = new Batch();
    List<Asked> asked = new ArrayList<>();
    for (Listed directory : directories) {
      Descriptor here = directory.here();
      batch.add(new ProcessCall.Fchdir(here));
      for (DirectoryEntry name : directory.names()) {
        boolean mayBeLink =
            name.type() == DirectoryEntry.DT_LNK || name.type() == DirectoryEntry.DT_UNKNOWN;
        asked.add(
            new Asked(
                batch.add(new TreeCall.StatEntry(here, name.name())),
                mayBeLink
                    ? batch.add(new FileCall.Readlinkat(here, name.name()), Errno.EINVAL)
                    : null,
                batch.add(
                    new TreeCall.Llistxattr(name.name(), NAMES), Errno.EOPNOTSUPP, Errno.ERANGE)));
      }
    }
    Results results = kernel.run(batch);
    Iterator<Asked> next = asked.iterator();
    for (Listed directory : directories) {
      for (DirectoryEntry name : directory.names()) {
        directory.nodes().add(node(directory, name.name(), next.next(), results));
      }
    }
  }

  private Node node(Listed directory, String name, Asked asked, Results results) {
    Pending<byte[]> list = asked.xattrs();
    boolean hasNone =
        results.succeeded(list)
            ? results.of(list).length == 0
            : results.errno(list) == Errno.EOPNOTSUPP.value();
    Pending<String> link = asked.link();
    String path = directory.path();
    return new Node(
        name.equals(".") ? "" : path.isEmpty() ? name : path + "/" + name,
        results.of(asked.stat()),
        link != null && results.succeeded(link) ? results.of(link) : "",
        hasNone ? Map.of() : attributes(directory.here(), name));
  }

  private Map<String, byte[]> attributes(Descriptor here, String name) {
    Map<String, byte[]> attributes = new TreeMap<>();
    Batch batch = new Batch();
    batch.add(new ProcessCall.Fchdir(here));
    Pending<byte[]> names = batch.add(new TreeCall.Llistxattr(name, VALUE));
    byte[] list = kernel.run(batch).of(names);
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
}
