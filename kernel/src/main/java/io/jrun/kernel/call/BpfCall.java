package io.jrun.kernel.call;

/// bpf(2), for the device programs of cgroup v2.
public sealed interface BpfCall<R> extends HostCall<R> {
  int BPF_PROG_TYPE_CGROUP_DEVICE = 15;
  int BPF_CGROUP_DEVICE = 6;
  int BPF_F_ALLOW_MULTI = 2;

  /// BPF_PROG_LOAD of eBPF instructions, 8 bytes each.
  record Load(int type, byte[] instructions) implements BpfCall<Descriptor> {
    @Override
    public Number number() {
      return Number.BPF;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(5)
          .struct(a ->
              a.u32("prog_type", type)
                  .u32("insn_cnt", instructions.length / 8)
                  .pointer("insns", instructions)
                  .pointer("license", new byte[] {'A', 'p', 'a', 'c', 'h', 'e', 0})
                  .raw("", new byte[96]))
          .value(128);
    }

    @Override
    public Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }
  }

  /// BPF_PROG_ATTACH to a cgroup directory.
  record Attach(Descriptor cgroup, Descriptor program, int type, int flags)
      implements BpfCall<Nothing> {
    @Override
    public Number number() {
      return Number.BPF;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(8)
          .struct(a ->
              a.descriptor32("target_fd", cgroup)
                  .descriptor32("attach_bpf_fd", program)
                  .u32("attach_type", type)
                  .u32("attach_flags", flags)
                  .raw("", new byte[112]))
          .value(128);
    }

    @Override
    public Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }
}
