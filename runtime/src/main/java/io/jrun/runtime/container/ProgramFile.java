package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import java.util.function.Predicate;

/// A path where the program may be, and what a process is asked of it.
record ProgramFile(
    String path, Pending<?> found, Predicate<Results> isDirectory, Pending<?> executable) {

  /// @param isFiltered whether a filter may refuse calls that came after Linux 4.10
  static ProgramFile ask(Batch batch, String path, boolean isFiltered) {
    if (isFiltered) return askUnderFilter(batch, path);
    Pending<Stat> stat = batch.attempt(new FileCall.Statx(Descriptor.CWD, path, 0));
    Pending<?> executable =
        batch.attempt(
            new FileCall.Faccessat2(Descriptor.CWD, path, FileCall.X_OK, FileCall.AT_EACCESS));
    return new ProgramFile(path, stat, results -> results.of(stat).isDirectory(), executable);
  }

  /// Only a directory is found with a slash behind it. The real ids are the effective ones by then.
  private static ProgramFile askUnderFilter(Batch batch, String path) {
    Pending<?> found = batch.attempt(new FileCall.Faccessat(Descriptor.CWD, path, FileCall.F_OK));
    Pending<?> inside =
        batch.attempt(new FileCall.Faccessat(Descriptor.CWD, path + "/", FileCall.F_OK));
    Pending<?> executable =
        batch.attempt(new FileCall.Faccessat(Descriptor.CWD, path, FileCall.X_OK));
    return new ProgramFile(path, found, results -> results.succeeded(inside), executable);
  }
}
