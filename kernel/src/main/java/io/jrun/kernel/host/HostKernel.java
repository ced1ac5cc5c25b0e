package io.jrun.kernel.host;

import com.kenai.jffi.MemoryIO;
import io.jrun.kernel.Aside;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.HostCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.Number;
import io.jrun.kernel.call.Output;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.wire.Layout;
import java.nio.ByteBuffer;
import java.util.function.Supplier;

/// The kernel as this process reaches it, through libc's syscall(2). The errno is read on the same
/// native thread, so a caller must not be a virtual thread that could migrate between the two.
public final class HostKernel implements Kernel {
  private static final int ARGUMENTS = 48;
  private static final byte[] NONE = {};
  private static final int USUAL_BYTES = 16384;

  /// What a thread keeps for its next call, once it has needed it: a batch of some hundred calls.
  private static final int KEPT_BYTES = 1 << 18;

  private final Libc libc = new Libc();
  private final ThreadLocal<Memory> scratch = ThreadLocal.withInitial(() -> Memory.of(USUAL_BYTES));

  private final NetworkThreads networks = new NetworkThreads(this);

  /// Outside of the heap, where the kernel finds what it is given a pointer to.
  private record Memory(ByteBuffer bytes, long address) {
    static Memory of(int size) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(size);
      return new Memory(bytes, MemoryIO.getInstance().getDirectBufferAddress(bytes));
    }
  }

  @Override
  public <R> R call(HostCall<R> call) {
    return perform(call);
  }

  @Override
  public <R> Aside<R> inNewNetwork(Supplier<R> calls) {
    return networks.begin(calls);
  }

  /// For a thread that may be elsewhere than all others.
  void change(NamespaceCall<?> call) {
    perform(call);
  }

  private <R> R perform(Syscall<R> call) {
    Memory memory = scratch.get();
    Layout layout = layOut(call, memory);
    int needed = layout.outOffset() + layout.outSize();
    if (needed > memory.bytes().capacity()) {
      memory = Memory.of(needed <= KEPT_BYTES ? KEPT_BYTES : needed);
      if (needed <= KEPT_BYTES) scratch.set(memory);
      layout = layOut(call, memory);
    }
    byte[] out = layout.outSize() == 0 ? NONE : new byte[layout.outSize()];
    memory.bytes().put(0, layout.memory(), 0, layout.size());
    memory.bytes().put(layout.outOffset(), out);
    long value;
    while ((value = perform(call.number().value(), layout)) == -1) {
      Errno errno = Errno.of(libc.errno());
      if (!errno.equals(Errno.EINTR) || !restarts(call.number()))
        throw new KernelException(call, errno);
    }
    memory.bytes().get(layout.outOffset(), out);
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

  private static Layout layOut(Syscall<?> call, Memory memory) {
    Layout layout = new Layout(memory.address(), ARGUMENTS);
    layout.call(call, 0);
    if (layout.kinds() != 0)
      throw new IllegalArgumentException("a result of a batch, outside of one: " + call.text());
    layout.finish();
    return layout;
  }
}
