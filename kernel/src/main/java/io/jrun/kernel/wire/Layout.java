package io.jrun.kernel.wire;

import io.jrun.kernel.call.Arguments;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Flags;
import io.jrun.kernel.call.Names;
import io.jrun.kernel.call.Struct;
import io.jrun.kernel.call.Syscall;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Lays calls out in memory that starts at a known address: their data behind one another, pointers
/// absolute, the areas for the kernel's output behind all data.
public final class Layout implements Arguments {
  /// Where an output area lies, counted from the start of all output.
  public record Area(int offset, int length) {}

  private static final int ALIGNMENT = 16;
  private static final VarHandle SHORT = view(short[].class);
  private static final VarHandle INT = view(int[].class);
  private static final VarHandle LONG = view(long[].class);

  private static VarHandle view(Class<?> type) {
    return MethodHandles.byteArrayViewVarHandle(type, ByteOrder.nativeOrder());
  }

  private static final byte[] ZEROS = new byte[1024];

  private final long base;
  private byte[] memory;
  private int end;
  private int outSize;
  private final List<Integer> outPointers = new ArrayList<>();
  private @Nullable Fields fields;

  private final boolean keepsBeside;
  private byte @Nullable [] beside;
  private int besideSize;
  private int besidePointer;

  private int argument;
  private int kinds;
  private int record;

  /// @param base the address of the first byte
  /// @param reserved bytes kept free at the start, for headers
  /// @param memory where it is laid out, as far as that is enough; the caller's again when the
  ///   layout has been copied
  public Layout(long base, int reserved, byte[] memory) {
    this(base, reserved, memory, false);
  }

  /// @param keepsBeside whether the bytes of an iovec stay where they are: whoever copies [#memory]
  ///   copies [#beside] behind the output
  public Layout(long base, int reserved, byte[] memory, boolean keepsBeside) {
    this.base = base;
    this.keepsBeside = keepsBeside;
    this.memory = memory;
    enlarge(align(reserved));
  }

  /// Lays out one call, its six arguments at that offset; returns where its output will be.
  public Area call(Syscall<?> call, int argumentsAt) {
    argument = 0;
    kinds = 0;
    record = argumentsAt;
    int outBefore = outSize;
    call.arguments(this);
    return new Area(outBefore, outSize - outBefore);
  }

  /// How the arguments of the last call are to be read, two bits each.
  public int kinds() {
    return kinds;
  }

  /// Ends the layout: pointers to output areas get their addresses.
  public void finish() {
    long out = base + align(end);
    for (int at : outPointers) putLong(at, getLong(at) + out);
    if (beside != null) putLong(besidePointer, base + besideOffset());
  }

  /// Bytes that are to be copied to [#besideOffset], [#besideSize] of them; null where all are in
  /// [#memory].
  public byte @Nullable [] beside() {
    return beside;
  }

  public int besideSize() {
    return besideSize;
  }

  public int besideOffset() {
    return outOffset() + outSize;
  }

  public byte[] memory() {
    return memory;
  }

  /// Bytes used, the output not among them.
  public int size() {
    return end;
  }

  public int outSize() {
    return outSize;
  }

  /// Where the output starts, counted from the base.
  public int outOffset() {
    return align(end);
  }

  static int align(int offset) {
    return (offset + ALIGNMENT - 1) & -ALIGNMENT;
  }

  private int allocate(int size) {
    int at = (end + 7) & -8;
    enlarge(at + size);
    return at;
  }

  /// What is new is of zeros, whatever the memory held before: others are sent all of it.
  private void enlarge(int to) {
    if (to > memory.length) memory = Arrays.copyOf(memory, Math.max(to, memory.length * 2));
    // as an array copy, which is fast also where a loop is not
    for (int at = end; at < to; at += ZEROS.length)
      System.arraycopy(ZEROS, 0, memory, at, Math.min(ZEROS.length, to - at));
    end = to;
  }

  void putShort(int at, int value) {
    SHORT.set(memory, at, (short) value);
  }

  void putInt(int at, int value) {
    INT.set(memory, at, value);
  }

  private void putLong(int at, long value) {
    LONG.set(memory, at, value);
  }

  /// An argument or other word that was laid out.
  public long getLong(int at) {
    return (long) LONG.get(memory, at);
  }

  private int store(byte[] bytes) {
    return store(bytes, bytes.length);
  }

  private int store(byte[] bytes, int size) {
    int at = allocate(size);
    System.arraycopy(bytes, 0, memory, at, size);
    return at;
  }

  private int storeString(String string) {
    int length = string.length();
    int at = allocate(length + 1);
    for (int i = 0; i < length; i++) {
      char c = string.charAt(i);
      if (c > 0x7f) {
        end = at;
        byte[] bytes = Names.encode(string);
        return store(Arrays.copyOf(bytes, bytes.length + 1));
      }
      memory[at + i] = (byte) c;
    }
    memory[at + length] = 0;
    return at;
  }

  private int reserveOut(int size) {
    int at = outSize;
    outSize = align(outSize + size);
    return at;
  }

  private Layout put(long value, int kind) {
    if (argument >= 6) throw new IllegalStateException("a syscall has at most six arguments");
    putLong(record + 8 * argument, value);
    kinds |= kind << 2 * argument;
    argument++;
    return this;
  }

  @Override
  public Layout value(long value) {
    return put(value, Protocol.KIND_VALUE);
  }

  @Override
  public Layout flags(Flags names, long value) {
    return value(value);
  }

  @Override
  public Layout octal(int mode) {
    return value(mode);
  }

  @Override
  public Layout descriptor(Descriptor descriptor) {
    return switch (descriptor) {
      case Descriptor.Known(int number) -> put(number, Protocol.KIND_VALUE);
      case Descriptor.Named(int number, String _) -> put(number, Protocol.KIND_VALUE);
      case Descriptor.ResultOf(int index) -> put(index, Protocol.KIND_RESULT);
      case Descriptor.Passed(int index) -> put(index, Protocol.KIND_PASSED);
    };
  }

  @Override
  public Layout string(@Nullable String string) {
    return value(string == null ? 0 : base + storeString(string));
  }

  @Override
  public Layout bytes(byte @Nullable [] bytes) {
    return value(bytes == null ? 0 : base + store(bytes));
  }

  @Override
  public Layout strings(List<String> strings) {
    int array = allocate(8 * (strings.size() + 1));
    for (int i = 0; i < strings.size(); i++)
      putLong(array + 8 * i, base + storeString(strings.get(i)));
    putLong(array + 8 * strings.size(), 0);
    return value(base + array);
  }

  @Override
  public Layout out(int size) {
    outPointers.add(record + 8 * argument);
    return value(reserveOut(size));
  }

  @Override
  public Layout struct(Consumer<Struct> struct) {
    Fields all = fields();
    struct.accept(all);
    int size = all.bytes.position();
    int at = allocate(size);
    all.bytes.get(0, memory, at, size);
    for (int pointer : all.outPointers) outPointers.add(at + pointer);
    return value(base + at);
  }

  /// Those of no structure yet; most calls have none.
  private Fields fields() {
    Fields empty = fields == null ? new Fields() : fields;
    fields = empty;
    empty.begin();
    return empty;
  }

  /// A structure's bytes; what its pointers point to is stored before the structure itself.
  private final class Fields implements Struct {
    private ByteBuffer bytes = ByteBuffer.allocate(128).order(ByteOrder.nativeOrder());
    private final List<Integer> outPointers = new ArrayList<>();

    void begin() {
      bytes.clear();
      outPointers.clear();
    }

    private Fields room(int size) {
      if (bytes.remaining() < size) {
        bytes =
            ByteBuffer.allocate((bytes.capacity() + size) * 2)
                .order(ByteOrder.nativeOrder())
                .put(bytes.flip());
      }
      return this;
    }

    @Override
    public Fields u8(String name, int value) {
      room(1).bytes.put((byte) value);
      return this;
    }

    @Override
    public Fields u16(String name, int value) {
      room(2).bytes.putShort((short) value);
      return this;
    }

    @Override
    public Fields u32(String name, long value) {
      room(4).bytes.putInt((int) value);
      return this;
    }

    @Override
    public Fields u64(String name, long value) {
      room(8).bytes.putLong(value);
      return this;
    }

    @Override
    public Fields flags32(String name, Flags names, long value) {
      return u32(name, value);
    }

    @Override
    public Fields flags64(String name, Flags names, long value) {
      return u64(name, value);
    }

    @Override
    public Fields descriptor32(String name, Descriptor descriptor) {
      if (descriptor instanceof Descriptor.Known(int number)) return u32(name, number);
      throw new IllegalArgumentException("a structure can hold known descriptors only: " + name);
    }

    @Override
    public Fields pointer(String name, byte[] data) {
      return u64(name, base + store(data));
    }

    @Override
    public Fields out(String name, int size) {
      outPointers.add(bytes.position());
      return u64(name, reserveOut(size));
    }

    @Override
    public Fields iovec(String name, byte[] data, int size) {
      int iovec;
      if (keepsBeside && beside == null) {
        iovec = allocate(16);
        beside = data;
        besideSize = size;
        besidePointer = iovec;
      } else {
        int at = store(data, size);
        iovec = allocate(16);
        putLong(iovec, base + at);
      }
      putLong(iovec + 8, size);
      return u64(name, base + iovec);
    }

    @Override
    public Fields iovecOut(String name, int size) {
      int iovec = allocate(16);
      putLong(iovec, reserveOut(size));
      putLong(iovec + 8, size);
      Layout.this.outPointers.add(iovec);
      return u64(name, base + iovec);
    }

    @Override
    public Fields raw(String name, byte[] data) {
      room(data.length).bytes.put(data);
      return this;
    }
  }
}
