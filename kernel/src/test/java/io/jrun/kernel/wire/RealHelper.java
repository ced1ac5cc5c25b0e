package io.jrun.kernel.wire;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SocketCall;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// The real helper as a process whose engine the test is.
final class RealHelper implements AutoCloseable {
  private static final int SIGCHLD = 17;

  final Kernel kernel;
  final Process process;
  final OwnedDescriptor listener;

  RealHelper(Kernel kernel, Path directory) throws IOException {
    this.kernel = kernel;
    String machine = System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64";
    Path binary = Path.of("../build/helper", machine, "jrun").toAbsolutePath();
    assumeTrue(Files.isExecutable(binary), "the helper is not built (make helpers)");
    Path path = Files.createTempDirectory(directory, "engine").resolve("sock");
    int type = SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC;
    listener = owned(kernel.call(new SocketCall.Socket(SocketCall.AF_UNIX, type, 0, false)));
    kernel.call(
        new SocketCall.Bind(listener.descriptor(), SocketCall.unixAddress(path.toString())));
    kernel.call(new SocketCall.Listen(listener.descriptor(), 16));
    ProcessBuilder builder = new ProcessBuilder(binary.toString(), "test");
    builder.environment().put("JRUN_ENGINE", path.toString());
    process = builder.start();
  }

  OwnedDescriptor owned(Descriptor descriptor) {
    return new OwnedDescriptor(kernel, descriptor);
  }

  /// The next connection of the helper.
  OwnedDescriptor accept() {
    return owned(kernel.call(new SocketCall.Accept4(listener.descriptor())));
  }

  /// The next connection, greeted.
  Helper connect() {
    Helper helper = new Helper(kernel, accept());
    helper.hello();
    return helper;
  }

  record Child(int pid, HelperKernel helper) {}

  /// Forks the helper.
  Child fork(HelperKernel parent) {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    try (OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1))) {
      Batch batch = new Batch();
      Descriptor socket = batch.pass(theirs);
      Pending<Integer> pid = batch.add(new ProcessCall.Clone3(0, SIGCHLD, socket, 0));
      batch.add(new FileCall.Close(socket));
      return new Child(
          parent.run(batch).of(pid), parent.over(new OwnedDescriptor(kernel, pair.get(0))));
    }
  }

  /// Forks the helper and makes the child a shell, after what `before` adds.
  Child shell(HelperKernel parent, String script, Consumer<Batch> before) {
    Child child = fork(parent);
    Batch batch = new Batch();
    batch.add(new PseudoCall.ResetSignals());
    before.accept(batch);
    batch.add(
        new ProcessCall.Execve(
            "/bin/sh", List.of("sh", "-c", script), List.of("PATH=/usr/bin:/bin")));
    child.helper().runToEnd(batch);
    child.helper().close();
    return child;
  }

  @Override
  public void close() throws Exception {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().waitFor();
    listener.close();
  }
}
