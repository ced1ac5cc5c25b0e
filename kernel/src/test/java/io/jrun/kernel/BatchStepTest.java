package io.jrun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.ProcessCall;
import org.junit.jupiter.api.Test;

/// What calls are for, in the messages of their failures.
class BatchStepTest {
  private final Batch batch = new Batch();

  private String message(Pending<?> pending) {
    return batch.entries().get(pending.index()).failure(Errno.ENOENT).getMessage();
  }

  @Test
  void aFailureSaysWhatTheCallWasFor() {
    Pending<?> before = batch.add(new ProcessCall.Chdir("/a"));
    Pending<?> in = batch.during("bundle", () -> batch.add(new ProcessCall.Chdir("/b")));
    Pending<?> attempted = batch.during("look", () -> batch.attempt(new ProcessCall.Chdir("/c")));
    Pending<?> behind = batch.add(new ProcessCall.Chdir("/d"));
    assertThat(message(before)).isEqualTo("chdir(\"/a\"): ENOENT (no such file or directory)");
    assertThat(message(in)).isEqualTo("bundle: chdir(\"/b\"): ENOENT (no such file or directory)");
    assertThat(message(attempted)).startsWith("look: chdir(\"/c\")");
    assertThat(message(behind)).startsWith("chdir(\"/d\")");
  }

  @Test
  void theInnermostStepIsTold() {
    batch.during(
        "outer",
        () -> {
          Pending<?> inner =
              batch.during("inner", () -> batch.add(new ProcessCall.Chdir("/inner")));
          Pending<?> outer = batch.add(new ProcessCall.Chdir("/outer"));
          assertThat(message(inner)).startsWith("inner: chdir(");
          assertThat(message(outer)).startsWith("outer: chdir(");
        });
  }

  @Test
  void aStepEndsAlsoWhereAddingFails() {
    Runnable refused =
        () -> {
          throw new IllegalArgumentException("refused");
        };
    assertThatThrownBy(() -> batch.during("step", refused)).hasMessage("refused");
    assertThat(message(batch.add(new ProcessCall.Chdir("/")))).startsWith("chdir(");
  }
}
