package io.jrun.kernel;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Syscall;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Calls to perform in order, with the failures that are expected of them. A call may use the
/// result of an earlier one; where that one failed as expected, the call is skipped.
public final class Batch {
  /// One call and the errnos that do not stop the batch; `anyFailure` expects every errno.
  public record Entry(
      Syscall<?> call, List<Errno> expected, boolean anyFailure, @Nullable Guard guard) {
    public Entry {
      expected = List.copyOf(expected);
      if (expected.size() > 3) throw new IllegalArgumentException("at most three expected errnos");
    }

    public Entry(Syscall<?> call, List<Errno> expected, boolean anyFailure) {
      this(call, expected, anyFailure, null);
    }
  }

  /// The call is made only where the one at `index` failed with that errno, or, where it is null,
  /// did not fail; otherwise it is skipped.
  public record Guard(int index, @Nullable Errno errno) {}

  /// How many descriptors go along with a batch at most, and with its answer.
  public static final int MOST_PASSED = SocketCall.MOST_DESCRIPTORS;

  private final List<Entry> entries = new ArrayList<>();
  private final List<Integer> passed = new ArrayList<>();

  /// Adds a call that must succeed, or fail with one of the expected errnos.
  public <R> Pending<R> add(Syscall<R> call, Errno... expected) {
    entries.add(new Entry(call, List.of(expected), false));
    return new Pending<>(entries.size() - 1, call);
  }

  /// Adds a call whose failure never stops the batch.
  public <R> Pending<R> attempt(Syscall<R> call) {
    entries.add(new Entry(call, List.of(), true));
    return new Pending<>(entries.size() - 1, call);
  }

  /// Adds a call that is made only where an earlier one failed with that errno.
  public <R> Pending<R> addIfFailed(
      Pending<?> earlier, Errno errno, Syscall<R> call, Errno... expected) {
    return guarded(new Guard(earlier.index(), errno), call, expected);
  }

  /// Adds a call that is made only where an earlier one did not fail.
  public <R> Pending<R> addIfDone(Pending<?> earlier, Syscall<R> call, Errno... expected) {
    return guarded(new Guard(earlier.index(), null), call, expected);
  }

  private <R> Pending<R> guarded(Guard guard, Syscall<R> call, Errno... expected) {
    entries.add(new Entry(call, List.of(expected), false, guard));
    return new Pending<>(entries.size() - 1, call);
  }

  /// Writes a text to a file, which is made where it is missing, with the mode that the process's
  /// umask leaves of 0666.
  ///
  /// @param flags of open(2) besides: O_EXCL, O_TRUNC or O_APPEND
  public void addFile(String path, int flags, String text) {
    int all = FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_CLOEXEC | flags;
    Descriptor file = add(new FileCall.Openat(Descriptor.CWD, path, all, 0666, false)).descriptor();
    add(new FileCall.Write(file, text.getBytes(StandardCharsets.UTF_8)));
    add(new FileCall.Close(file));
  }

  /// Sends a descriptor of the engine along; the batch's calls can then use it.
  public Descriptor pass(OwnedDescriptor descriptor) {
    passed.add(descriptor.number());
    return new Descriptor.Passed(passed.size() - 1);
  }

  /// The same batch with another call in one place.
  public Batch with(int index, Entry entry) {
    Batch other = new Batch();
    other.entries.addAll(entries);
    other.passed.addAll(passed);
    other.entries.set(index, entry);
    return other;
  }

  public List<Entry> entries() {
    return Collections.unmodifiableList(entries);
  }

  public List<Integer> passed() {
    return List.copyOf(passed);
  }

  public boolean isEmpty() {
    return entries.isEmpty();
  }

  public int size() {
    return entries.size();
  }
}
