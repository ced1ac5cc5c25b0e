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
  private static final byte[] ZEROS = new byte[4096];
  private static final int USUAL_BYTES = 16384;

  /// A batch of some hundred calls.
  private static final int LARGE_BYTES = 1 << 18;

  private final Libc libc = new Libc();
  private final ThreadLocal<Memory> scratch =
      ThreadLocal.withInitial(() -> new Memory(USUAL_BYTES));

  /// What the last larger call has used, until a collection.
  private final AtomicReference<@Nullable WeakReference<Memory>> large = new AtomicReference<>();

  private final NetworkThreads networks = new NetworkThreads(this);

  /// What calls are laid out in, one after another: outside of the heap, where the kernel finds
  /// what it is given a pointer to, and the same in the heap, before and after.
  private static final class Memory {
    private static final int USUAL_ARGUMENTS = 512;

    private final ByteBuffer bytes;
    private final long address;
    private final byte[] arguments = new byte[USUAL_ARGUMENTS];
    private byte[] output = NONE;

    Memory(int size) {
      bytes = ByteBuffer.allocateDirect(size);
      address = MemoryIO.getInstance().getDirectBufferAddress(bytes);
    }

    int size() {
      return bytes.capacity();
    }

    Layout layOut(Syscall<?> call) {
      Layout layout = new Layout(address, ARGUMENTS, arguments, true);
      layout.call(call, 0);
      if (layout.kinds() != 0)
        throw new IllegalArgumentException("a result of a batch, outside of one: " + call.text());
      layout.finish();
      return layout;
    }

    /// Copies it to where the kernel finds it, before zeros in place of what the call will write.
    void put(Layout layout) {
      bytes.put(0, layout.memory(), 0, layout.size());
      int end = layout.outOffset() + layout.outSize();
      for (int at = layout.outOffset(); at < end; at += ZEROS.length)
        bytes.put(at, ZEROS, 0, Math.min(ZEROS.length, end - at));
      byte[] beside = layout.beside();
      if (beside != null) bytes.put(layout.besideOffset(), beside, 0, layout.besideSize());
    }

    /// What the call has written, until the next one.
    Output output(Layout layout) {
      if (layout.outSize() > output.length) output = new byte[layout.outSize()];
      bytes.get(layout.outOffset(), output, 0, layout.outSize());
      return new Output(output, 0, layout.outSize());
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
    Layout layout = usual.layOut(call);
    int needed = layout.besideOffset() + layout.besideSize();
    if (needed <= usual.size()) return perform(call, layout, usual);
    Memory memory = large(needed);
    R result = perform(call, memory.layOut(call), memory);
    if (memory.size() == LARGE_BYTES) large.set(new WeakReference<>(memory));
    return result;
  }

  private Memory large(int needed) {
    if (needed > LARGE_BYTES) return new Memory(needed);
    WeakReference<Memory> kept = large.getAndSet(null);
    Memory memory = kept == null ? null : kept.get();
    return memory == null ? new Memory(LARGE_BYTES) : memory;
  }

  private <R> R perform(Syscall<R> call, Layout layout, Memory memory) {
    memory.put(layout);
    long value;
    while ((value = perform(call.number().value(), layout)) == -1) {
      Errno errno = Errno.of(libc.errno());
      if (!errno.equals(Errno.EINTR) || !restarts(call.number()))
        throw new KernelException(call, errno);
    }
    return call.result(value, memory.output(layout));
  }

  /// Gives the pages of an array back to the machine; the array is of zeros with that, but for what
  /// shares its first and last page with others. Nothing is given where a collection moves it
  /// between the look where its first whole page begins and the call.
  public void discard(byte[] array) {
    int page = libc.pageSize();
    int length = array.length - page & -page;
    if (length <= 0) return;
    int start = (int) -libc.addressOf(array) & page - 1;
    libc.madvise(array, start, length, MemoryCall.MADV_DONTNEED);
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
}
