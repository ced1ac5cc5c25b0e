package io.jrun.runtime.shim;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.wire.Keeper;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/// A logger of `binary://`: a program that reads the container's output from descriptors 3 and 4,
/// and says on 5 that it is ready. Its parent is the keeper.
///
/// @param stdout, stderr what the container's process writes to
record Logger(OwnedDescriptor stdout, OwnedDescriptor stderr) implements AutoCloseable {
  private static final int POLLIN = 1;
  private static final long READY_MILLIS = 10_000;

  static boolean isWanted(String stdout) {
    return stdout.startsWith("binary://");
  }

  /// @param born is told its pid, before it can end
  static Logger start(
      Kernel kernel, Keeper keeper, String stdout, String namespace, String id, IntConsumer born) {
    URI uri = URI.create(stdout);
    List<String> argv = new ArrayList<>(List.of(uri.getPath()));
    if (uri.getRawQuery() != null)
      for (String pair : uri.getRawQuery().split("&"))
        for (String part : pair.split("=", 2))
          if (!part.isEmpty()) argv.add(URLDecoder.decode(part, StandardCharsets.UTF_8));
    List<Integer> out = kernel.call(new DescriptorCall.Pipe2());
    List<Integer> err = kernel.call(new DescriptorCall.Pipe2());
    List<Integer> ready = kernel.call(new DescriptorCall.Pipe2());
    OwnedDescriptor outWrite = new OwnedDescriptor(kernel, out.get(1));
    OwnedDescriptor errWrite = new OwnedDescriptor(kernel, err.get(1));
    try (OwnedDescriptor outRead = new OwnedDescriptor(kernel, out.get(0));
        OwnedDescriptor errRead = new OwnedDescriptor(kernel, err.get(0));
        OwnedDescriptor readyRead = new OwnedDescriptor(kernel, ready.get(0));
        OwnedDescriptor readyWrite = new OwnedDescriptor(kernel, ready.get(1));
        HelperKernel worker = keeper.forkLasting()) {
      Batch batch = new Batch();
      Pending<Integer> pid = batch.add(new ProcessCall.Getpid());
      batch.add(new PseudoCall.ResetSignals());
      // above the numbers that are to be taken, which what was passed may have
      int[] numbers = new int[3];
      Descriptor[] passed = {batch.pass(outRead), batch.pass(errRead), batch.pass(readyWrite)};
      for (int i = 0; i < passed.length; i++) {
        numbers[i] = 20 + i;
        batch.add(new DescriptorCall.Dup3(passed[i], numbers[i], FileCall.O_CLOEXEC));
        batch.add(new FileCall.Close(passed[i]));
      }
      born.accept(worker.run(batch).of(pid));
      Batch last = new Batch();
      // its own socket may have one of the numbers: it is not needed after the last batch
      last.add(new DescriptorCall.CloseRange(6, -1, DescriptorCall.CLOSE_RANGE_CLOEXEC));
      for (int i = 0; i < numbers.length; i++)
        last.add(new DescriptorCall.Dup3(new Descriptor.Known(numbers[i]), 3 + i, 0));
      List<String> env = List.of("CONTAINER_ID=" + id, "CONTAINER_NAMESPACE=" + namespace);
      last.add(new ProcessCall.Execve(argv.getFirst(), argv, env));
      become(worker, last);
      readyWrite.close();
      if (kernel.call(new DescriptorCall.Poll(readyRead.descriptor(), POLLIN, READY_MILLIS)) == 0)
        throw RpcException.unknown("the logger " + argv.getFirst() + " does not become ready");
      return new Logger(outWrite, errWrite);
    } catch (KernelException e) {
      outWrite.close();
      errWrite.close();
      throw RpcException.unknown("failed to start binary process: " + e.getMessage());
    } catch (RuntimeException e) {
      outWrite.close();
      errWrite.close();
      throw e;
    }
  }

  private static void become(HelperKernel worker, Batch last) {
    try {
      worker.runToEnd(last);
    } catch (HelperGoneException e) {
      throw RpcException.unknown("the logger ended before it started");
    }
  }

  @Override
  public void close() {
    stdout.close();
    stderr.close();
  }
}
