package io.jrun.kernel.host;

import com.kenai.jffi.MemoryIO;
import io.jrun.kernel.Aside;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.HostCall;
import io.jrun.kernel.call.MemoryCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.Number;
import io.jrun.kernel.call.Output;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.wire.Layout;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The kernel as this process reaches it, through libc's syscall(2). The errno is read on the same
/// native thread, so a caller must not be a virtual thread that could migrate between the two.
public final class HostKernel implements Kernel {
  private static final int ARGUMENTS = 48;
  private static final byte[] NONE = {};
  private static final int USUAL_BYTES = 16384;

  /// A batch of some hundred calls.
  private static final int LARGE_BYTES = 1 << 18;

  private static final int ALIGNMENT = 8;

  private final Libc libc = new Libc();
  private final ThreadLocal<Memory> scratch = ThreadLocal.withInitial(() -> Memory.of(USUAL_BYTES));

  /// What the last larger call has used, until a collection.
  private final AtomicReference<@Nullable WeakReference<Memory>> large = new AtomicReference<>();

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
    Memory usual = scratch.get();
    Layout layout = layOut(call, usual);
    int needed = layout.besideOffset() + layout.besideSize();
    if (needed <= usual.bytes().capacity()) return perform(call, layout, usual);
    Memory memory = large(needed);
    R result = perform(call, layOut(call, memory), memory);
    if (memory.bytes().capacity() == LARGE_BYTES) large.set(new WeakReference<>(memory));
    return result;
  }

  private Memory large(int needed) {
    if (needed > LARGE_BYTES) return Memory.of(needed);
    WeakReference<Memory> kept = large.getAndSet(null);
    Memory memory = kept == null ? null : kept.get();
    return memory == null ? Memory.of(LARGE_BYTES) : memory;
  }

  private <R> R perform(Syscall<R> call, Layout layout, Memory memory) {
    byte[] out = layout.outSize() == 0 ? NONE : new byte[layout.outSize()];
    memory.bytes().put(0, layout.memory(), 0, layout.size());
    memory.bytes().put(layout.outOffset(), out);
    byte[] beside = layout.beside();
    if (beside != null) memory.bytes().put(layout.besideOffset(), beside, 0, layout.besideSize());
    long value;
    while ((value = perform(call.number().value(), layout)) == -1) {
      Errno errno = Errno.of(libc.errno());
      if (!errno.equals(Errno.EINTR) || !restarts(call.number()))
        throw new KernelException(call, errno);
    }
    memory.bytes().get(layout.outOffset(), out);
    return call.result(value, new Output(out, 0, out.length));
  }

  /// Gives the pages of an array back to the machine; the array is of zeros with that, but for what
  /// shares its first and last page with others. No collection moves it meanwhile, and where its
  /// first whole page begins is what the kernel takes.
  public void discard(byte[] array) {
    int page = libc.pageSize();
    int length = array.length - page & -page;
    if (length <= 0) return;
    int start = 0;
    while (start < page && libc.madvise(array, start, length, MemoryCall.MADV_DONTNEED) == -1)
      start += ALIGNMENT;
  }

  /// Gives back what libc's malloc has free, which is what compilations and requests have needed.
  public void trim() {
    libc.trim();
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
    Layout layout = new Layout(memory.address(), ARGUMENTS, true);
    layout.call(call, 0);
    if (layout.kinds() != 0)
      throw new IllegalArgumentException("a result of a batch, outside of one: " + call.text());
    layout.finish();
    return layout;
  }
}
