package io.jrun.rootfs.unpack;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MemoryCall;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.call.TreeCall;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.stream.CarriedFile;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Calls on their way to a writer process: gathered to batches, of which some are under way while
/// the next is made.
///
/// Each batch opens the directories that it needs by itself, beneath the root and without passing
/// symbolic links, and closes them at its end, so no batch depends on the result of another.
final class Pipeline {
  private static final int CALLS = 400;

  private static final long PAGE = 4096;
  private static final int DIRECTORIES = 128;

  /// Answers, of 8 bytes a call, must fit the socket's buffer while nobody reads them.
  private static final int UNDER_WAY = 24;

  private static final int BENEATH =
      FileCall.RESOLVE_BENEATH
          | FileCall.RESOLVE_NO_SYMLINKS
          | FileCall.RESOLVE_NO_MAGICLINKS
          | FileCall.RESOLVE_NO_XDEV;

  private record Write(Pending<Long> call, long size) {}

  private record Step(int firstCall, String path) {}

  private static final class Work {
    final Batch batch = new Batch();
    final Map<String, Descriptor> directories = new HashMap<>();
    final List<Write> writes = new ArrayList<>();
    final List<Step> steps = new ArrayList<>();
    final List<Runnable> after = new ArrayList<>();
    final List<Pending<?>> counted = new ArrayList<>();
    @Nullable Reply started;
  }

  private final HelperKernel writer;
  private final Descriptor root;
  private final ArrayDeque<Work> underWay = new ArrayDeque<>();
  private Work work = new Work();
  private long refused;
  private final CarriedFile carried;

  /// @param root the directory's descriptor in the writer
  Pipeline(HelperKernel writer, Descriptor root) {
    this.writer = writer;
    this.root = root;
    carried = new CarriedFile(writer);
  }

  /// What removes trees, when nothing is under way.
  Removal removal() {
    return new Removal(writer);
  }

  Descriptor root() {
    return root;
  }

  /// How many calls failed of those that may.
  long refused() {
    return refused;
  }

  /// Begins what belongs to one path; afterwards so many calls fit the batch, with a directory or
  /// two that they need.
  void step(String path, int calls) {
    if (work.batch.size() + calls > CALLS || work.directories.size() > DIRECTORIES) flush();
    work.steps.add(new Step(work.batch.size(), path));
  }

  /// A descriptor of a directory, good in this batch.
  Descriptor directory(String path) {
    if (path.isEmpty()) return root;
    Descriptor known = work.directories.get(path);
    if (known != null) return known;
    Descriptor opened =
        work.batch
            .add(
                new FileCall.Openat2(
                    root,
                    path,
                    FileCall.O_PATH | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC,
                    0,
                    BENEATH,
                    false))
            .descriptor();
    work.directories.put(path, opened);
    return opened;
  }

  /// Opens a directory to describe it.
  Descriptor openDirectory(String path) {
    return work.batch
        .add(
            new FileCall.Openat2(
                root,
                path.isEmpty() ? "." : path,
                FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC,
                0,
                BENEATH,
                false))
        .descriptor();
  }

  /// Moves a file that this batch opened to where later batches find it, until [#closeCarried].
  Descriptor carry(Descriptor file) {
    return carried.carry(work.batch, file);
  }

  void closeCarried() {
    carried.close(work.batch);
  }

  <R> Pending<R> add(Syscall<R> call, Errno... expected) {
    return work.batch.add(call, expected);
  }

  /// Adds a call that the kernel may refuse; its refusal is counted.
  void attempt(Syscall<?> call) {
    work.counted.add(work.batch.attempt(call));
  }

  /// Adds a write, all of which must be taken.
  void write(Descriptor file, long address, long size, long offset) {
    // write(2) takes no more than this at once
    while (size > 0) {
      long part = Math.min(size, 1 << 30);
      work.writes.add(
          new Write(work.batch.add(new TreeCall.PwriteFrom(file, address, part, offset)), part));
      address += part;
      offset += part;
      size -= part;
    }
  }

  /// Lets go of mapped memory that will hardly be read again.
  void forget(long address, long size) {
    long start = address & -PAGE;
    add(new MemoryCall.Madvise(start, address + size - start, MemoryCall.MADV_DONTNEED));
  }

  /// Performs something when all that has been added until now is done.
  void after(Runnable action) {
    work.after.add(action);
    flush();
  }

  /// Sends what has been gathered.
  void flush() {
    if (work.batch.isEmpty() && work.after.isEmpty()) return;
    while (underWay.size() >= UNDER_WAY) await();
    for (Descriptor directory : work.directories.values()) {
      work.batch.add(new FileCall.Close(directory));
    }
    if (!work.batch.isEmpty()) work.started = writer.send(work.batch);
    underWay.add(work);
    work = new Work();
  }

  /// Waits for the oldest batch that is under way; false where none is.
  boolean await() {
    if (underWay.isEmpty()) return false;
    receive();
    return true;
  }

  /// Waits for all that was added.
  void drain() {
    flush();
    while (await()) {}
  }

  /// After a failure: waits until nothing is under way, whatever came of it.
  void abandon() {
    work = new Work();
    while (!underWay.isEmpty()) {
      Reply started = underWay.remove().started;
      try {
        if (started != null) started.await();
      } catch (KernelException e) {
        // the failure that led here is the one to tell of
      } catch (HelperGoneException e) {
        return;
      }
    }
  }

  /// Performs one batch by itself.
  Results run(Batch batch) {
    drain();
    return writer.run(batch);
  }

  private void receive() {
    Work done = underWay.remove();
    if (done.started == null) {
      done.after.forEach(Runnable::run);
      return;
    }
    Results results;
    try {
      results = done.started.await();
    } catch (KernelException e) {
      throw new RootfsException(place(done, e).map(p -> p + ": ").orElse("") + e.getMessage(), e);
    } catch (HelperGoneException e) {
      throw new RootfsException("the process that wrote the files was ended", e);
    }
    for (Write write : done.writes) {
      if (results.values().get(write.call().index()) != write.size()) {
        throw new RootfsException(
            path(done, write.call().index())
                + ": "
                + write.call().call().text()
                + ": only "
                + results.values().get(write.call().index())
                + " bytes were taken: no space left on device, or a limit of file sizes");
      }
    }
    for (Pending<?> call : done.counted) if (!results.succeeded(call)) refused++;
    done.after.forEach(Runnable::run);
  }

  private static String path(Work work, int call) {
    String path = "";
    for (Step step : work.steps) {
      if (step.firstCall() > call) break;
      path = step.path();
    }
    return path;
  }

  private static Optional<String> place(Work work, KernelException e) {
    List<Batch.Entry> entries = work.batch.entries();
    for (int i = 0; i < entries.size(); i++) {
      if (entries.get(i).call() == e.call()) return Optional.of(path(work, i));
    }
    return Optional.empty();
  }
}
