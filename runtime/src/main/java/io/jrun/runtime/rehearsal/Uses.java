package io.jrun.runtime.rehearsal;

import io.jrun.kernel.call.Arguments;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Flags;
import io.jrun.kernel.call.Struct;
import io.jrun.kernel.call.Syscall;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Collects the earlier calls of its batch whose results a call uses; structures hold none.
final class Uses implements Arguments {
  private final List<Integer> results = new ArrayList<>();

  private Uses() {}

  static List<Integer> of(Syscall<?> call) {
    Uses uses = new Uses();
    call.arguments(uses);
    return uses.results;
  }

  @Override
  public Arguments descriptor(Descriptor descriptor) {
    if (descriptor instanceof Descriptor.ResultOf(int index)) results.add(index);
    return this;
  }

  @Override
  public Arguments value(long value) {
    return this;
  }

  @Override
  public Arguments flags(Flags names, long value) {
    return this;
  }

  @Override
  public Arguments octal(int mode) {
    return this;
  }

  @Override
  public Arguments string(@Nullable String string) {
    return this;
  }

  @Override
  public Arguments bytes(byte @Nullable [] bytes) {
    return this;
  }

  @Override
  public Arguments strings(List<String> strings) {
    return this;
  }

  @Override
  public Arguments out(int size) {
    return this;
  }

  @Override
  public Arguments struct(Consumer<Struct> struct) {
    return this;
  }
}
