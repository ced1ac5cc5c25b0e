package io.jrun.runtime.container;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.wire.Hello;
import io.jrun.runtime.cgroup.Cgroups;
import io.jrun.runtime.process.SealedExe;
import io.jrun.runtime.seccomp.SeccompCompiler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/// What all operations share: the kernel, the cgroup hierarchies, the sealed helper.
public final class Containers {
  final Kernel kernel;
  final Cgroups cgroups;
  final SealedExe exe;
  final SeccompCompiler seccomp = new SeccompCompiler();
  final Configs configs = new Configs();
  final AtomicInteger watched = new AtomicInteger();
  private final int uid;

  /// @param library the directory of the installed engine, beside which the helper lies
  public Containers(Kernel kernel, Path library) throws IOException {
    this.kernel = kernel;
    this.cgroups = new Cgroups(kernel);
    this.exe = new SealedExe(kernel, library.resolve("../../bin/jrun"));
    this.uid = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
  }

  /// How many clients watch a foreground process and need nothing of the engine until it ends.
  public int watched() {
    return watched.get();
  }

  public int uid() {
    return uid;
  }

  public ContainerOperations operations(HelperKernel client, Hello hello) {
    return new ContainerOperations(this, new ClientProcess(client, hello.env()));
  }
}
