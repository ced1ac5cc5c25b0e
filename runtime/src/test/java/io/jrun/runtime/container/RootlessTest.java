package io.jrun.runtime.container;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.runtime.cli.LogFormat;
import io.jrun.specs.runtime.Resources;
import org.junit.jupiter.api.Test;

/// When a container does without a cgroup.
class RootlessTest {
  private final CgroupException refused = failure(Errno.EACCES);

  private static CgroupException failure(Errno errno) {
    return new CgroupException("making it", new KernelException(new ProcessCall.Getpid(), errno));
  }

  private static GlobalOptions with(String rootless) {
    return new GlobalOptions("", null, LogFormat.TEXT, false, false, false, rootless);
  }

  private static void allow(String rootless, boolean unprivileged, CgroupException failure) {
    Rootless.allow(with(rootless), unprivileged, failure, Resources.NONE);
  }

  @Test
  void autoMeansWhoIsNotRoot() {
    assertThatCode(() -> allow("auto", true, refused)).doesNotThrowAnyException();
    assertThatThrownBy(() -> allow("auto", false, refused)).isSameAs(refused);
  }

  @Test
  void theFlagDecides() {
    assertThatCode(() -> allow("true", false, refused)).doesNotThrowAnyException();
    assertThatThrownBy(() -> allow("false", true, refused)).isSameAs(refused);
  }

  @Test
  void onlyRefusalsAreIgnored() {
    assertThatThrownBy(() -> allow("true", true, failure(Errno.ENOSPC)))
        .hasMessageContaining("ENOSPC");
    assertThatCode(() -> allow("true", true, failure(Errno.EROFS))).doesNotThrowAnyException();
  }

  @Test
  void limitsNeedACgroup() {
    Resources limits =
        Resources.NONE.withPids(new Resources.Pids(5L, io.jrun.specs.json.Json.JsonObject.EMPTY));
    assertThatThrownBy(() -> Rootless.allow(with("auto"), true, refused, limits))
        .hasMessageStartingWith("cannot set limits without a cgroup");
  }
}
