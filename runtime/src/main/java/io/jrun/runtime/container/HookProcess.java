package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.process.ForkedHelper;
import io.jrun.specs.runtime.Hook;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/// One hook that runs, a child of a process of the right namespaces. What it reads is a file, and
/// what it prints goes into a pipe, so that it can open both by name (/dev/stdin, /dev/stderr), and
/// nobody waits for it to read.
///
/// @param parent of which it is a child
record HookProcess(Kernel kernel, HelperKernel parent, Hook hook) {
  private static final int POLLIN = 1;
  private static final int CHUNK = 4096;
  private static final int OUTPUT_SHOWN = 4096;
  private static final long LOOK_MILLIS = 10;

  /// Runs it to its end, or to the end of its time.
  ///
  /// @param input for its standard input
  /// @param before what its process does last before the program
  /// @throws ContainerException when it fails
  void run(byte[] input, Consumer<Batch> before) {
    long deadline =
        hook.timeoutSeconds() == null
            ? Long.MAX_VALUE
            : System.nanoTime() + hook.timeoutSeconds() * 1_000_000_000;
    List<Integer> pipe = kernel.call(new DescriptorCall.Pipe2());
    try (OwnedDescriptor output = new OwnedDescriptor(kernel, pipe.get(0));
        OwnedDescriptor printed = new OwnedDescriptor(kernel, pipe.get(1));
        OwnedDescriptor stdin = file(input);
        Child child = Child.clone(kernel, parent, new Batch(), 0)) {
      // it may be a user's who is not the engine's
      kernel.call(new FileCall.Fchmod(printed.descriptor(), 0666));
      String text;
      int wait;
      try {
        child.become(batch(stdin, printed, before));
        printed.close();
        text = read(output, deadline);
        wait = awaitEnd(child.pid(), deadline);
      } catch (RuntimeException e) {
        Undoing.suppressing(e, () -> end(child.pid()));
        throw e;
      }
      if (wait != 0) throw new ContainerException(how(wait) + text);
    }
  }

  private void end(int pid) {
    parent.call(new SignalCall.Kill(pid, SignalCall.SIGKILL));
    parent.call(new ProcessCall.Wait4(pid, 0));
  }

  private static String how(int wait) {
    int signal = wait & 0x7f;
    return signal == 0 ? "exit status " + (wait >> 8 & 0xff) : SignalText.ended(signal);
  }

  private OwnedDescriptor file(byte[] content) {
    OwnedDescriptor file =
        OwnedDescriptor.open(kernel, new FileCall.MemfdCreate("state", FileCall.MFD_CLOEXEC));
    try {
      for (int at = 0; at < content.length; ) {
        byte[] rest = at == 0 ? content : Arrays.copyOfRange(content, at, content.length);
        at += kernel.call(new FileCall.Pwrite(file.descriptor(), rest, at));
      }
      return file;
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private Batch batch(OwnedDescriptor stdin, OwnedDescriptor printed, Consumer<Batch> before) {
    Batch batch = new Batch();
    Descriptor in = batch.pass(stdin);
    Descriptor out = batch.pass(printed);
    ForkedHelper.addBeginning(batch, in, out);
    batch.add(new DescriptorCall.Dup3(out, 2, 0));
    before.accept(batch);
    List<String> args = hook.args().isEmpty() ? List.of(hook.path()) : hook.args();
    batch.add(new ProcessCall.Execve(hook.path(), args, hook.env()));
    return batch;
  }

  /// What it prints until nobody is left who could, for a message.
  private String read(OwnedDescriptor output, long deadline) {
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    while (true) {
      long left = deadline == Long.MAX_VALUE ? -1 : left(deadline);
      if (kernel.call(new DescriptorCall.Poll(output.descriptor(), POLLIN, left)) == 0)
        throw timedOut();
      byte[] bytes = kernel.call(new FileCall.Read(output.descriptor(), CHUNK));
      if (bytes.length == 0) break;
      if (shown.size() < OUTPUT_SHOWN) shown.writeBytes(bytes);
    }
    String text = shown.toString(StandardCharsets.UTF_8).strip();
    return text.isEmpty() ? "" : ", output: " + text;
  }

  /// It may go on when it has closed its output. Its parent alone knows its pid, and a filter may
  /// keep that from everything but wait4(2).
  private int awaitEnd(int pid, long deadline) {
    if (deadline == Long.MAX_VALUE) return parent.call(new ProcessCall.Wait4(pid, 0));
    while (true) {
      int wait = parent.call(new ProcessCall.Wait4(pid, ProcessCall.WNOHANG));
      if (wait != ProcessCall.Wait4.RUNS) return wait;
      long left = left(deadline);
      if (left == 0) throw timedOut();
      try {
        Thread.sleep(Math.min(left, LOOK_MILLIS));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ContainerException("interrupted");
      }
    }
  }

  private static long left(long deadline) {
    return Math.max(0, (deadline - System.nanoTime() + 999_999) / 1_000_000);
  }

  private ContainerException timedOut() {
    return new ContainerException("timed out after " + hook.timeoutSeconds() + " s");
  }
}
