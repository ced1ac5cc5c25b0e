package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.Nothing;
import io.jrun.specs.runtime.Namespace;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The namespaces that a process joins beside a user namespace. Each is owned by the user namespace
/// that is left or by the one that is entered, and only in its owner's is there a right to join it:
/// one that is refused before (EPERM) is joined after.
final class NamespaceJoins {
  private record Join(Namespace namespace, Descriptor file) {
    NamespaceCall.Setns setns(Descriptor opened) {
      return new NamespaceCall.Setns(opened, NamespacePlan.flag(namespace.type()));
    }
  }

  private final List<Join> joins = new ArrayList<>();

  /// Of each of them; null where it was not tried before.
  private final List<@Nullable Pending<Nothing>> early = new ArrayList<>();

  /// Opens one with the rights that there are before.
  void open(Batch batch, Namespace namespace, String path) {
    Descriptor file = batch.add(FileCall.Openat.existing(path, FileCall.O_RDONLY)).descriptor();
    joins.add(new Join(namespace, file));
  }

  /// Joins before, as the only way.
  void addAll(Batch batch) {
    for (Join join : joins) early.add(batch.add(join.setns(join.file)));
  }

  /// Joins before what may be refused, and leaves the rest for after.
  void addEarly(Batch batch, Predicate<Namespace> which) {
    for (Join join : joins)
      early.add(which.test(join.namespace) ? batch.add(join.setns(join.file), Errno.EPERM) : null);
  }

  /// Joins after what has not been joined.
  ///
  /// @param before what the batch returned that opened them
  void addLate(Batch batch, Results before) {
    for (int i = 0; i < joins.size(); i++) {
      Pending<Nothing> tried = early.get(i);
      if (tried == null || before.errno(tried) == Errno.EPERM.value())
        batch.add(joins.get(i).setns(opened(joins.get(i), before)));
    }
  }

  void addClose(Batch batch, Results before) {
    for (Join join : joins) batch.add(new FileCall.Close(opened(join, before)));
  }

  private static Descriptor opened(Join join, Results before) {
    int index = ((Descriptor.ResultOf) join.file).index();
    return new Descriptor.Known((int) (long) before.values().get(index));
  }
}
