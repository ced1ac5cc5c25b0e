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
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Calls to perform in order, with the failures that are expected of them. A call may use the
/// result of an earlier one; where that one failed as expected, the call is skipped.
public final class Batch {
  /// One call and the errnos that do not stop the batch; `anyFailure` expects every errno.
  ///
  /// @param step what the call is for, where its message does not say that itself
  public record Entry(
      Syscall<?> call,
      List<Errno> expected,
      boolean anyFailure,
      @Nullable Guard guard,
      @Nullable String step) {
    public Entry {
      expected = List.copyOf(expected);
      if (expected.size() > 3) throw new IllegalArgumentException("at most three expected errnos");
    }

    public Entry(Syscall<?> call, List<Errno> expected, boolean anyFailure) {
      this(call, expected, anyFailure, null, null);
    }

    /// What is thrown where it failed with that errno, and that was not expected.
    public KernelException failure(Errno errno) {
      return new KernelException(call, errno, step);
    }
  }

  /// The call is made only where the one at `index` failed with that errno, or, where it is null,
  /// did not fail; otherwise it is skipped.
  public record Guard(int index, @Nullable Errno errno) {}

  /// How many descriptors go along with a batch at most, and with its answer.
  public static final int MOST_PASSED = SocketCall.MOST_DESCRIPTORS;

  private final List<Entry> entries = new ArrayList<>();
  private final List<Supplier<OwnedDescriptor>> passed = new ArrayList<>();
  private @Nullable String step;

  /// Says what the calls that are added in it are for: the failure of one says so first.
  public <T> T during(String step, Supplier<T> adding) {
    String outer = this.step;
    this.step = step;
    try {
      return adding.get();
    } finally {
      this.step = outer;
    }
  }

  /// The same for what has no result.
  public void during(String step, Runnable adding) {
    during(
        step,
        () -> {
          adding.run();
          return this;
        });
  }

  /// Adds a call that must succeed, or fail with one of the expected errnos.
  public <R> Pending<R> add(Syscall<R> call, Errno... expected) {
    return entry(call, List.of(expected), false, null);
  }

  /// Adds a call whose failure never stops the batch.
  public <R> Pending<R> attempt(Syscall<R> call) {
    return entry(call, List.of(), true, null);
  }

  /// Adds a call that is made only where an earlier one failed with that errno.
  public <R> Pending<R> addIfFailed(
      Pending<?> earlier, Errno errno, Syscall<R> call, Errno... expected) {
    return entry(call, List.of(expected), false, new Guard(earlier.index(), errno));
  }

  /// Adds a call that is made only where an earlier one did not fail.
  public <R> Pending<R> addIfDone(Pending<?> earlier, Syscall<R> call, Errno... expected) {
    return entry(call, List.of(expected), false, new Guard(earlier.index(), null));
  }

  private <R> Pending<R> entry(
      Syscall<R> call, List<Errno> expected, boolean anyFailure, @Nullable Guard guard) {
    entries.add(new Entry(call, expected, anyFailure, guard, step));
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
    return pass(() -> descriptor);
  }

  /// The same with one that need not be there before the batch is sent.
  public Descriptor pass(Supplier<OwnedDescriptor> descriptor) {
    passed.add(descriptor);
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
    return passed.stream().map(descriptor -> descriptor.get().number()).toList();
  }

  public boolean isEmpty() {
    return entries.isEmpty();
  }

  public int size() {
    return entries.size();
  }
}
