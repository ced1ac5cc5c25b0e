package io.jrun.runtime.mount;

import static io.jrun.kernel.call.FileCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import java.util.ArrayList;
import java.util.List;

/// Paths inside a root that the kernel resolves from the root's descriptor; a missing one is made
/// there, component by component, and nowhere else.
final class InRoot {
  private static final Errno[] MISSING = {Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP};

  private final Batch batch;
  private final Descriptor root;
  private final int resolve;
  private final Errno[] expected;

  InRoot(Batch batch, Descriptor root) {
    this(batch, root, RESOLVE_IN_ROOT, new Errno[0]);
  }

  private InRoot(Batch batch, Descriptor root, int resolve, Errno[] expected) {
    this.batch = batch;
    this.root = root;
    this.resolve = resolve;
    this.expected = expected;
  }

  /// The same where a symbolic link on the way is a failure.
  InRoot straight() {
    return new InRoot(batch, root, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, expected);
  }

  /// The same where it is no failure that a path is missing and cannot be made: what uses it is
  /// skipped.
  InRoot tolerant() {
    return new InRoot(batch, root, resolve, MISSING);
  }

  /// Opens what must exist.
  Descriptor open(String path, int flags) {
    return batch.add(opening(path, flags), expected).descriptor();
  }

  /// The call that opens it.
  FileCall.Openat2 opening(String path, int flags) {
    return new FileCall.Openat2(root, relative(path), flags | O_CLOEXEC, 0, resolve, false);
  }

  /// Opens a directory, made where it is missing.
  Descriptor directory(String path) {
    return directory(components(path));
  }

  /// The same step by step, where one may be `..`.
  Descriptor directory(List<String> steps) {
    Descriptor parent = root;
    StringBuilder prefix = new StringBuilder();
    for (String name : steps) {
      batch.add(new FileCall.Mkdirat(parent, name, 0755), Errno.EEXIST, Errno.EROFS, Errno.EACCES);
      prefix.append(prefix.isEmpty() ? "" : "/").append(name);
      Descriptor above = parent;
      parent =
          batch
              .add(
                  new FileCall.Openat2(
                      root, prefix.toString(), O_PATH | O_DIRECTORY | O_CLOEXEC, 0, resolve, false),
                  expected)
              .descriptor();
      if (above != root) batch.add(new FileCall.Close(above));
    }
    return parent;
  }

  /// Opens a file as a mount point, made empty where it is missing; never what a link in its place
  /// leads to.
  Descriptor file(String path) {
    List<String> components = components(path);
    String name = components.getLast();
    Descriptor parent = directory(String.join("/", components.subList(0, components.size() - 1)));
    Descriptor made =
        batch
            .add(
                new FileCall.Openat(
                    parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644, false),
                Errno.EEXIST,
                Errno.EROFS,
                Errno.EACCES)
            .descriptor();
    batch.add(new FileCall.Close(made)); // skipped where nothing was made
    if (parent != root) batch.add(new FileCall.Close(parent));
    return open(path, O_PATH | O_NOFOLLOW);
  }

  static String relative(String path) {
    String clean = String.join("/", components(path));
    return clean.isEmpty() ? "." : clean;
  }

  /// The names of a path as the kernel goes through them.
  static List<String> steps(String path) {
    List<String> names = new ArrayList<>();
    for (int from = 0, end; from < path.length(); from = end + 1) {
      end = path.indexOf('/', from);
      if (end < 0) end = path.length();
      boolean isHere = end == from + 1 && path.charAt(from) == '.';
      if (end > from && !isHere) names.add(path.substring(from, end));
    }
    return names;
  }

  /// The names of a path, `.` and `..` resolved as text: a container's `..` never leads above its
  /// root.
  static List<String> components(String path) {
    List<String> steps = steps(path);
    if (!steps.contains("..")) return steps;
    List<String> names = new ArrayList<>();
    for (String name : steps) {
      if (!name.equals("..")) names.add(name);
      else if (!names.isEmpty()) names.removeLast();
    }
    return names;
  }
}
