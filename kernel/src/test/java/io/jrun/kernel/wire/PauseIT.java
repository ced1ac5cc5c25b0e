package io.jrun.kernel.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.host.HostKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The pause process, as the first process of a pid namespace. Needs root.
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PauseIT {
  private static final int SIGHUP = 1;
  private static final int SIGTERM = 15;

  private final HostKernel kernel = new HostKernel();

  @TempDir private Path directory;

  @Test
  void itReapsOrphansAndEndsWhenTold() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    try (RealHelper real = new RealHelper(kernel, directory);
        Helper parent = real.connect()) {
      parent.call(new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWPID));
      RealHelper.Child pause = real.fork(parent);
      RealHelper.Child shell = real.shell(pause.helper(), "sleep 0.3 & exit 3", batch -> {});
      shell.helper().close();
      pause.helper().call(new PseudoCall.Pause());
      pause.helper().close();

      Path children = Path.of("/proc", pause.pid() + "", "task", pause.pid() + "", "children");
      assertThat(Files.readString(children)).as("the orphan").isNotBlank();
      awaitBlank(children);

      // what is not an order to end is passed over, also by a first process without handlers
      kernel.call(new SignalCall.Kill(pause.pid(), SIGHUP));
      assertThat(Files.exists(children)).isTrue();
      kernel.call(new SignalCall.Kill(pause.pid(), SIGTERM));
      assertThat(parent.call(new ProcessCall.Wait4(pause.pid(), 0))).isZero();
    }
  }

  @Test
  void anOrderThatComesBeforeItWaitsIsNotLost() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    try (RealHelper real = new RealHelper(kernel, directory);
        Helper parent = real.connect()) {
      parent.call(new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWPID));
      RealHelper.Child pause = real.fork(parent);
      Batch batch = new Batch();
      batch.add(new PseudoCall.Pause());
      batch.add(new SignalCall.Kill(1, SIGTERM)); // itself
      pause.helper().run(batch);
      pause.helper().close();
      assertThat(parent.call(new ProcessCall.Wait4(pause.pid(), 0))).isZero();
    }
  }

  private static void awaitBlank(Path file) throws IOException, InterruptedException {
    for (int i = 0; i < 500 && !Files.readString(file).isBlank(); i++) Thread.sleep(10);
    assertThat(Files.readString(file)).as("children that were not reaped").isBlank();
  }
}
