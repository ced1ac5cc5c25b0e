package io.jrun.kernel.host;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.HeapInvocationBuffer;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// A shared library of the machine, whose functions take and return integers and pointers, by jffi
/// (decision 56). An `int` is passed as a long: who is called looks at the half of the register
/// that is its own. Safe for several threads where the library is.
public final class NativeLibrary {
  private static final Invoker INVOKER = Invoker.getInstance();
  private static final MemoryIO MEMORY = MemoryIO.getInstance();

  /// By the number of arguments, of which there are as many as fit in registers.
  private static final List<CallContext> CONTEXTS =
      IntStream.rangeClosed(0, 6).mapToObj(NativeLibrary::context).toList();

  private final Library library; // unloaded with this
  private final Map<String, Long> functions = new HashMap<>();

  private NativeLibrary(Library library) {
    this.library = library;
  }

  private static CallContext context(int arguments) {
    Type[] types = new Type[arguments];
    Arrays.fill(types, Type.SINT64);
    return CallContext.getCallContext(Type.SINT64, types, CallingConvention.DEFAULT, true);
  }

  /// Empty where the machine has no such library, or another version without these functions.
  ///
  /// @param file such as `libz.so.1`, where dlopen(3) looks for it
  public static Optional<NativeLibrary> open(String file, String... functions) {
    Library library = Library.getCachedInstance(file, Library.LAZY | Library.LOCAL);
    if (library == null) return Optional.empty();
    NativeLibrary opened = new NativeLibrary(library);
    return opened.knows(functions) ? Optional.of(opened) : Optional.empty();
  }

  private boolean knows(String[] names) {
    for (String name : names) {
      long address = library.getSymbolAddress(name);
      if (address == 0) return false;
      functions.put(name, address);
    }
    return true;
  }

  /// Of a function that returns a long, a size_t or a pointer.
  public long call(String function, long... arguments) {
    Long address = functions.get(function);
    if (address == null) throw new IllegalArgumentException(function);
    CallContext context = CONTEXTS.get(arguments.length);
    HeapInvocationBuffer buffer = new HeapInvocationBuffer(context);
    for (long argument : arguments) buffer.putLong(argument);
    return INVOKER.invokeLong(context, address, buffer);
  }

  /// Of a function that returns an int.
  public int callInt(String function, long... arguments) {
    return (int) call(function, arguments);
  }

  /// Of a function that returns an int, and whose last argument is a text that it does not keep.
  public int callInt(String function, String text, long... before) {
    byte[] bytes = (text + "\0").getBytes(StandardCharsets.UTF_8);
    long[] arguments = Arrays.copyOf(before, before.length + 1);
    long memory = MEMORY.allocateMemory(bytes.length, false);
    try {
      MEMORY.putByteArray(memory, bytes, 0, bytes.length);
      arguments[before.length] = memory;
      return callInt(function, arguments);
    } finally {
      MEMORY.freeMemory(memory);
    }
  }

  /// The errno of this thread's last call.
  public static int errno() {
    return LastError.getInstance().get();
  }

  /// Where a direct buffer begins. Nothing but the buffer keeps its memory: it is the caller's to
  /// hold until the last call is over.
  public static long address(ByteBuffer direct) {
    return MEMORY.getDirectBufferAddress(direct);
  }

  /// A text that a function has returned; empty where it has returned null.
  public static String text(long address) {
    if (address == 0) return "";
    return new String(MEMORY.getZeroTerminatedByteArray(address), StandardCharsets.UTF_8);
  }
}
