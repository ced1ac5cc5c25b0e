package io.jrun.kernel.host;

import com.kenai.jffi.ArrayFlags;
import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.HeapInvocationBuffer;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.PageManager;
import com.kenai.jffi.Type;
import io.jrun.kernel.call.Number;
import java.util.Arrays;

/// The functions of libc that every engine needs, called through jffi, on which JNR-FFI is built:
/// JNR-FFI itself generates a class first, by some sixty others that no AOT cache holds, and that
/// is a good part of what a first command waits for.
final class Libc {
  private static final int REGISTERS = 7;
  private static final int PINNED = ArrayFlags.PINNED | ArrayFlags.IN | ArrayFlags.OUT;

  private final Invoker invoker = Invoker.getInstance();
  private final LastError lastError = LastError.getInstance();
  private final CallContext context = context(REGISTERS);
  private final CallContext onLong = context(1);
  private final long syscall = Library.getDefault().getSymbolAddress("syscall");

  private static CallContext context(int longs) {
    Type[] arguments = new Type[longs];
    Arrays.fill(arguments, Type.SINT64);
    return contextOf(arguments);
  }

  private static CallContext contextOf(Type... arguments) {
    return CallContext.getCallContext(Type.SINT64, arguments, CallingConvention.DEFAULT, true);
  }

  /// syscall(2): -1 where it failed.
  long syscall(long number, long a, long b, long c, long d, long e, long f) {
    HeapInvocationBuffer arguments = new HeapInvocationBuffer(context);
    arguments.putLong(number);
    arguments.putLong(a);
    arguments.putLong(b);
    arguments.putLong(c);
    arguments.putLong(d);
    arguments.putLong(e);
    arguments.putLong(f);
    return invoker.invokeLong(context, syscall, arguments);
  }

  /// madvise(2) of a part of an array, which stays where it is meanwhile: -1 where it failed.
  long madvise(byte[] array, int offset, int length, int advice) {
    CallContext context = contextOf(Type.SINT64, Type.POINTER, Type.SINT64, Type.SINT64);
    HeapInvocationBuffer arguments = new HeapInvocationBuffer(context);
    arguments.putLong(Number.MADVISE.value());
    arguments.putArray(array, offset, length, PINNED);
    arguments.putLong(length);
    arguments.putLong(advice);
    return invoker.invokeLong(context, syscall, arguments);
  }

  /// Where an array is until the next collection: memset(3) of none of its bytes answers it.
  long addressOf(byte[] array) {
    CallContext context = contextOf(Type.POINTER, Type.SINT64, Type.SINT64);
    HeapInvocationBuffer arguments = new HeapInvocationBuffer(context);
    arguments.putArray(array, 0, array.length, PINNED);
    arguments.putLong(0);
    arguments.putLong(0);
    return invoker.invokeLong(context, Library.getDefault().getSymbolAddress("memset"), arguments);
  }

  /// Of the memory of a process, as getpagesize(2) tells it.
  int pageSize() {
    return (int) PageManager.getInstance().pageSize();
  }

  /// malloc_trim(3): gives all that is free back to the machine; libcs other than glibc have none.
  void trim() {
    long function = Library.getDefault().getSymbolAddress("malloc_trim");
    if (function == 0) return;
    HeapInvocationBuffer arguments = new HeapInvocationBuffer(onLong);
    arguments.putLong(0);
    invoker.invokeLong(onLong, function, arguments);
  }

  /// The errno of this thread's last call.
  int errno() {
    return lastError.get();
  }
}
