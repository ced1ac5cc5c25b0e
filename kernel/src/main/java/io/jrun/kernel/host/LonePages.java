package io.jrun.kernel.host;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.MemoryCall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// Ranges of this process's memory of whose pages each comes alone while this is open. Elsewhere
/// the kernel maps up to 64 KiB around a page of a file that is touched, but not where a
/// userfaultfd(2) may want to hear of each page. This one is for writes only, and asynchronous, so
/// that nobody has to answer; and no page is protected from them, so nothing else is different.
///
/// Linux 6.7 is the first that takes ranges of files, and a machine may forbid it; then pages come
/// as they do elsewhere.
public final class LonePages implements AutoCloseable {
  /// What an unprivileged process is allowed too (Linux 5.11).
  private static final int UFFD_USER_MODE_ONLY = 1;

  private static final long UFFD_API = 0xaa;
  private static final long UFFD_FEATURE_WP_ASYNC = 1 << 15;
  private static final long UFFDIO_REGISTER_MODE_WP = 1 << 1;

  private final Kernel kernel;
  private final @Nullable OwnedDescriptor faults;

  private LonePages(Kernel kernel, @Nullable OwnedDescriptor faults) {
    this.kernel = kernel;
    this.faults = faults;
  }

  static LonePages open(Kernel kernel) {
    OwnedDescriptor faults = null;
    try {
      faults =
          OwnedDescriptor.open(
              kernel, new MemoryCall.Userfaultfd(FileCall.O_CLOEXEC | UFFD_USER_MODE_ONLY));
      tell(kernel, faults, IoctlCall.UFFDIO_API, UFFD_API, UFFD_FEATURE_WP_ASYNC, 0);
      return new LonePages(kernel, faults);
    } catch (KernelException e) {
      if (faults != null) faults.close();
      return new LonePages(kernel, null);
    }
  }

  void add(long start, long size) {
    if (faults == null) return;
    try {
      tell(kernel, faults, IoctlCall.UFFDIO_REGISTER, start, size, UFFDIO_REGISTER_MODE_WP, 0);
    } catch (KernelException e) {
      // a shared one
    }
  }

  /// @param structure the fields of it, the last of which the kernel fills in
  private static void tell(Kernel kernel, OwnedDescriptor faults, int request, long... structure) {
    ByteBuffer bytes =
        ByteBuffer.allocate(structure.length * Long.BYTES).order(ByteOrder.nativeOrder());
    for (long field : structure) bytes.putLong(field);
    kernel.call(new IoctlCall.IoctlWrite(faults.descriptor(), request, bytes.array()));
  }

  @Override
  public void close() {
    if (faults != null) faults.close();
  }
}
