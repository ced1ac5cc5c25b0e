package io.jrun.kernel.host;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.HostCall;
import io.jrun.kernel.call.Number;
import io.jrun.kernel.call.Output;
import io.jrun.kernel.wire.Layout;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/// The kernel as this process reaches it, through libc's syscall(2). The errno is read on the same
/// native thread, so a caller must not be a virtual thread that could migrate between the two.
public final class HostKernel implements Kernel {
  /// libc, as far as it is needed.
  public interface Libc {
    long syscall(long number, long a, long b, long c, long d, long e, long f);
  }

  private static final int ARGUMENTS = 48;

  private final Libc libc = LibraryLoader.create(Libc.class).load("c");
  private final Runtime runtime = Runtime.getRuntime(libc);
  private final ThreadLocal<Pointer> scratch =
      ThreadLocal.withInitial(() -> Memory.allocateDirect(runtime, 16384));

  @Override
  public <R> R call(HostCall<R> call) {
    Pointer memory = scratch.get();
    Layout layout = layOut(call, memory);
    int needed = layout.outOffset() + layout.outSize();
    if (needed > memory.size()) {
      memory = Memory.allocateDirect(runtime, needed);
      layout = layOut(call, memory);
    }
    memory.put(0, layout.memory(), 0, layout.size());
    memory.setMemory(layout.outOffset(), layout.outSize(), (byte) 0);
    long value;
    while ((value = perform(call.number().value(), layout)) == -1) {
      Errno errno = Errno.of(runtime.getLastError());
      if (!errno.equals(Errno.EINTR) || !restarts(call.number()))
        throw new KernelException(call, errno);
    }
    if (layout.outSize() == 0) return call.result(value, Output.NONE);
    byte[] out = new byte[layout.outSize()];
    memory.get(layout.outOffset(), out, 0, out.length);
    return call.result(value, new Output(out, 0, out.length));
  }

  private long perform(int number, Layout layout) {
    return libc.syscall(
        number,
        layout.getLong(0),
        layout.getLong(8),
        layout.getLong(16),
        layout.getLong(24),
        layout.getLong(32),
        layout.getLong(40));
  }

  /// Whether an interrupted call is made again. The signals of this process are the JVM's own. A
  /// closed descriptor is gone even where close(2) says EINTR, and an interrupted connect(2) goes
  /// on.
  private static boolean restarts(Number number) {
    return number != Number.CLOSE && number != Number.CONNECT;
  }

  private static Layout layOut(HostCall<?> call, Pointer memory) {
    Layout layout = new Layout(memory.address(), ARGUMENTS);
    layout.call(call, 0);
    if (layout.kinds() != 0)
      throw new IllegalArgumentException("a result of a batch, outside of one: " + call.text());
    layout.finish();
    return layout;
  }
}
