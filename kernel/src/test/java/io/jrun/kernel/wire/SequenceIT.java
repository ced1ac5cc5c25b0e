package io.jrun.kernel.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.host.HostKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Batches sent one behind another, and calls that depend on earlier ones, in the real helper; the
/// test is its engine. Skipped where the helper is not built (`make helpers`).
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SequenceIT {
  private static final int TRUNCATING = FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_CLOEXEC;

  private final HostKernel kernel = new HostKernel();

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Process process;

  @SuppressWarnings("NullAway.Init")
  private HelperKernel helper;

  @BeforeEach
  void startHelper() throws Exception {
    Path binary =
        Path.of(
            "../build/helper",
            System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64",
            "jrun");
    assumeTrue(Files.isExecutable(binary), "the helper is not built");
    String path = directory.resolve("engine.sock").toString();
    try (OwnedDescriptor listener = socket()) {
      kernel.call(new SocketCall.Bind(listener.descriptor(), SocketCall.unixAddress(path)));
      kernel.call(new SocketCall.Listen(listener.descriptor(), 1));
      ProcessBuilder builder = new ProcessBuilder(binary.toAbsolutePath().toString());
      builder.environment().put("JRUN_ENGINE", path);
      process = builder.inheritIO().start();
      Descriptor accepted = kernel.call(new SocketCall.Accept4(listener.descriptor()));
      Helper client =
          new Helper(kernel, new OwnedDescriptor(kernel, ((Descriptor.Known) accepted).number()));
      client.hello();
      helper = client;
    }
  }

  private OwnedDescriptor socket() {
    int type = SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC;
    Descriptor made = kernel.call(new SocketCall.Socket(SocketCall.AF_UNIX, type, 0, false));
    return new OwnedDescriptor(kernel, ((Descriptor.Known) made).number());
  }

  @AfterEach
  void endHelper() throws Exception {
    if (helper == null) return;
    Batch last = new Batch();
    last.add(new ProcessCall.ExitGroup(7));
    helper.runToEnd(last);
    helper.close();
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(7);
  }

  private Batch touching(String name) {
    Batch batch = new Batch();
    Descriptor file =
        batch
            .add(new FileCall.Openat(Descriptor.CWD, path(name), TRUNCATING, 0600, false))
            .descriptor();
    batch.add(new FileCall.Close(file));
    return batch;
  }

  private String path(String name) {
    return directory.resolve(name).toString();
  }

  private static Batch failing() {
    Batch batch = new Batch();
    batch.add(new FileCall.Close(Descriptor.NONE));
    return batch;
  }

  @Test
  void batchesThatAreSentAheadAreAllPerformedInOrder() {
    List<Reply> replies = List.of(helper.send(touching("a")), helper.send(touching("b")));
    Batch renaming = new Batch();
    renaming.add(new FileCall.Renameat2(Descriptor.CWD, path("b"), Descriptor.CWD, path("c"), 0));
    helper.send(renaming).await();
    for (Reply reply : replies) assertThat(reply.await().values()).hasSize(2);
    assertThat(directory).isDirectoryContaining(file -> file.endsWith("a"));
    assertThat(directory.resolve("b")).doesNotExist();
    assertThat(directory.resolve("c")).exists();
  }

  @Test
  void afterAFailureTheBatchesBehindItAreSkippedAndFailAlike() {
    Reply first = helper.send(touching("a"));
    Reply failed = helper.send(failing());
    Reply behind = helper.send(touching("b"));
    Reply last = helper.send(touching("c"));
    first.await();
    for (Reply reply : List.of(last, behind, failed)) {
      assertThatThrownBy(reply::await)
          .isInstanceOf(KernelException.class)
          .hasMessage("close(-1): EBADF (bad file descriptor)");
    }
    assertThat(directory.resolve("b")).doesNotExist();
    assertThat(directory.resolve("c")).doesNotExist();
    helper.run(touching("d"));
    assertThat(directory.resolve("d")).exists();
  }

  @Test
  void aGuardedCallIsMadeOnlyAfterTheOutcomeItAsksFor() {
    Batch batch = new Batch();
    FileCall.Mkdirat mkdir = new FileCall.Mkdirat(Descriptor.CWD, path("made"), 0700);
    Pending<?> made = batch.add(mkdir, Errno.EEXIST);
    Pending<?> again = batch.add(mkdir, Errno.EEXIST);
    Pending<?> whereMade = batch.addIfDone(made, new ProcessCall.Getpid());
    Pending<?> whereThere = batch.addIfDone(again, new ProcessCall.Getpid());
    Pending<?> onExist = batch.addIfFailed(again, Errno.EEXIST, new ProcessCall.Getpid());
    Pending<?> onOther = batch.addIfFailed(again, Errno.ENOENT, new ProcessCall.Getpid());
    Pending<?> onSuccess = batch.addIfFailed(made, Errno.EEXIST, new ProcessCall.Getpid());
    Pending<?> behindSkipped = batch.addIfDone(onOther, new ProcessCall.Getpid());
    Results results = helper.run(batch);
    assertThat(List.of(made, whereMade, onExist)).allMatch(results::succeeded);
    assertThat(results.errno(again)).isEqualTo(Errno.EEXIST.value());
    assertThat(List.of(whereThere, onOther, onSuccess, behindSkipped))
        .allMatch(call -> results.values().get(call.index()) == Results.SKIPPED);
  }
}
