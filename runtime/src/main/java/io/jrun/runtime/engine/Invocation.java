package io.jrun.runtime.engine;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.Syscall;
import io.jrun.runtime.cli.Caller;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/// One command of one client: the process that called jrun, seen as a caller by the command line.
final class Invocation implements Caller {
  /// Below this a write to a pipe is whole or not at all (PIPE_BUF).
  private static final int CHUNK = 4096;

  private final HelperKernel client;

  Invocation(HelperKernel client) {
    this.client = client;
  }

  private void write(Descriptor to, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (int at = 0; at < bytes.length; ) {
      byte[] chunk = Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + CHUNK));
      at += call(new FileCall.Write(to, chunk));
    }
  }

  /// Performs a call of its own. Behind a batch that failed, and that nobody has asked about any
  /// more, the helper skips what comes: then it is told again.
  private <R> R call(Syscall<R> call) {
    try {
      return client.call(call);
    } catch (KernelException e) {
      if (e.call() == call) throw e;
      return client.call(call);
    }
  }

  @Override
  public void out(String text) {
    write(Descriptor.STDOUT, text);
  }

  @Override
  public void err(String text) {
    write(Descriptor.STDERR, text);
  }

  @Override
  public void appendToFile(String path, String text) {
    Batch batch = new Batch();
    batch.addFile(path, FileCall.O_APPEND, text);
    client.run(batch);
  }

  @Override
  public String run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) throw new IllegalStateException("exit status " + status + ": " + output);
      return output;
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public Instant now() {
    return Instant.now();
  }

  /// Ends the client.
  void exit(int status) {
    Batch batch = new Batch();
    batch.add(new ProcessCall.ExitGroup(status));
    try {
      client.runToEnd(batch);
    } catch (KernelException e) {
      client.runToEnd(batch); // it was skipped, see above
    }
  }
}
