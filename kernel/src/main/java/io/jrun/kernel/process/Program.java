package io.jrun.kernel.process;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SignalCall;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;

/// A program that reads its standard input, prints and ends; its standard error is its parent's.
///
/// @param timeoutMillis after which it is killed; negative for never
public record Program(
    String path, List<String> argv, List<String> env, byte[] stdin, long timeoutMillis) {
  private static final int POLLIN = 1;
  private static final int CHUNK = 16384;
  private static final int MAX_OUTPUT = 16 << 20;

  /// What a pipe takes while nobody reads from it (pipe(7)).
  private static final int PIPE_SIZE = 65536;

  private static final int BUSY_TRIES = 5;
  private static final long BUSY_MILLIS = 20;

  /// @param waitStatus as wait4(2) tells it
  public record Ended(int waitStatus, byte[] stdout) {
    public boolean succeeded() {
      return waitStatus == 0;
    }

    /// How it ended, such as `exit status 1`.
    public String how() {
      int signal = waitStatus & 0x7f;
      return signal != 0 ? "signal " + signal : "exit status " + (waitStatus >> 8 & 0xff);
    }
  }

  public Program {
    argv = List.copyOf(argv);
    env = List.copyOf(env);
  }

  /// Runs it as a child of that helper, to its end.
  ///
  /// @throws KernelException when it cannot be executed
  /// @throws ProgramFailure when its time is over
  public Ended run(Kernel kernel, HelperKernel parent) {
    List<Integer> in = kernel.call(new DescriptorCall.Pipe2());
    try (OwnedDescriptor inRead = new OwnedDescriptor(kernel, in.get(0));
        OwnedDescriptor inWrite = new OwnedDescriptor(kernel, in.get(1))) {
      List<Integer> out = kernel.call(new DescriptorCall.Pipe2());
      try (OwnedDescriptor outRead = new OwnedDescriptor(kernel, out.get(0));
          OwnedDescriptor outWrite = new OwnedDescriptor(kernel, out.get(1));
          ForkedHelper child = ForkedHelper.fork(kernel, parent, 0)) {
        try {
          become(child, inRead, outWrite);
          inRead.close();
          outWrite.close();
          write(kernel, inWrite);
          long deadline = System.nanoTime() + timeoutMillis * 1_000_000;
          byte[] stdout = output(kernel, outRead, deadline);
          awaitEnd(kernel, child.pid(), deadline);
          return new Ended(parent.call(new ProcessCall.Wait4(child.pid(), 0)), stdout);
        } catch (RuntimeException e) {
          kill(parent, child.pid(), e);
          throw e;
        }
      }
    }
  }

  private static void kill(HelperKernel parent, int pid, RuntimeException cause) {
    try {
      parent.call(new SignalCall.Kill(pid, SignalCall.SIGKILL));
      parent.call(new ProcessCall.Wait4(pid, 0));
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  /// ETXTBSY is tried again: installers replace plugins while they are in use.
  private void become(ForkedHelper child, OwnedDescriptor stdin, OwnedDescriptor stdout) {
    Batch setUp = new Batch();
    ForkedHelper.addBeginning(setUp, setUp.pass(stdin), setUp.pass(stdout));
    setUp.add(new DescriptorCall.CloseRange(3, -1, DescriptorCall.CLOSE_RANGE_CLOEXEC));
    setUp.add(exec());
    Batch batch = setUp;
    for (int tried = 1; ; tried++) {
      try {
        child.helper().runToEnd(batch);
        return;
      } catch (HelperGoneException e) {
        throw new ProgramFailure(path + ": the process ended before its program started");
      } catch (KernelException e) {
        if (!e.errno().equals(Errno.ETXTBSY) || tried == BUSY_TRIES) throw e;
        pause();
        batch = new Batch();
        batch.add(exec());
      }
    }
  }

  private ProcessCall.Execve exec() {
    return new ProcessCall.Execve(path, argv, env);
  }

  private static void pause() {
    try {
      Thread.sleep(BUSY_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProgramFailure("interrupted");
    }
  }

  private void write(Kernel kernel, OwnedDescriptor pipe) {
    if (stdin.length <= PIPE_SIZE) {
      writeAll(kernel, pipe);
      pipe.close();
    } else {
      int number = pipe.release();
      Thread.ofPlatform()
          .daemon()
          .start(() -> {
            try (OwnedDescriptor owned = new OwnedDescriptor(kernel, number)) {
              writeAll(kernel, owned);
            }
          });
    }
  }

  private void writeAll(Kernel kernel, OwnedDescriptor pipe) {
    try {
      for (int at = 0; at < stdin.length; ) {
        byte[] rest = at == 0 ? stdin : Arrays.copyOfRange(stdin, at, stdin.length);
        at += kernel.call(new FileCall.Write(pipe.descriptor(), rest));
      }
    } catch (KernelException e) {
      // it ended without reading its input: exit status and output tell
      if (!e.errno().equals(Errno.EPIPE)) throw e;
    }
  }

  private byte[] output(Kernel kernel, OwnedDescriptor pipe, long deadline) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (true) {
      await(kernel, pipe.descriptor(), deadline);
      byte[] bytes = kernel.call(new FileCall.Read(pipe.descriptor(), CHUNK));
      if (bytes.length == 0) return all.toByteArray();
      all.writeBytes(bytes);
      if (all.size() > MAX_OUTPUT) throw new ProgramFailure(path + ": prints without end");
    }
  }

  private void awaitEnd(Kernel kernel, int pid, long deadline) {
    if (timeoutMillis < 0) return;
    Descriptor pidfd = kernel.call(new SignalCall.PidfdOpen(pid));
    try (OwnedDescriptor owned = new OwnedDescriptor(kernel, pidfd)) {
      await(kernel, owned.descriptor(), deadline);
    }
  }

  private void await(Kernel kernel, Descriptor what, long deadline) {
    long left =
        timeoutMillis < 0 ? -1 : Math.max(0, (deadline - System.nanoTime() + 999_999) / 1_000_000);
    if (kernel.call(new DescriptorCall.Poll(what, POLLIN, left)) == 0) {
      throw new ProgramFailure(path + ": timed out after " + timeoutMillis / 1000.0 + " s");
    }
  }
}
