package io.jrun.kernel.call;

import org.jspecify.annotations.Nullable;

/// Seccomp and keyrings.
public sealed interface SecurityCall<R> extends HelperCall<R> {

  /// seccomp(2) SECCOMP_SET_MODE_FILTER of classic BPF, 8 bytes an instruction; the listener comes
  /// back when `returned`.
  record Seccomp(int flags, byte[] program, boolean returned) implements SecurityCall<Integer> {
    @Override
    public Number number() {
      return Number.SECCOMP;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(1)
          .value(flags)
          .struct(p ->
              p.u16("len", program.length / 8).raw("", new byte[6]).pointer("filter", program));
    }

    @Override
    public Integer result(long value, Output output) {
      return (int) value;
    }

    @Override
    public boolean returnsDescriptor() {
      return returned;
    }
  }

  /// keyctl(2) KEYCTL_JOIN_SESSION_KEYRING.
  record JoinSessionKeyring(@Nullable String name) implements SecurityCall<Integer> {
    @Override
    public Number number() {
      return Number.KEYCTL;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(1).string(name);
    }

    @Override
    public Integer result(long value, Output output) {
      return (int) value;
    }
  }
}
