package io.jrun.kernel.call;

/// ioctl(2): the controls of terminals, of network interfaces, of namespaces and of userfaultfd(2).
public sealed interface IoctlCall<R> extends HostCall<R> {
  int TCGETS = 0x5401;
  int TCSETS = 0x5402;
  int TIOCSCTTY = 0x540e;
  int TIOCGWINSZ = 0x5413;
  int TIOCSWINSZ = 0x5414;

  /// How many bytes a pipe has that nobody has read.
  int FIONREAD = 0x541b;

  int TIOCSPTLCK = 0x40045431;
  int TIOCGPTN = 0x80045430;
  int TIOCGPTPEER = 0x5441;

  /// The user namespace that owns a namespace (ioctl_ns(2)).
  int NS_GET_USERNS = 0xb701;

  int SIOCGIFNAME = 0x8910;
  int SIOCGIFFLAGS = 0x8913;
  int SIOCSIFFLAGS = 0x8914;
  int UFFDIO_API = 0xc018aa3f;
  int UFFDIO_REGISTER = 0xc020aa00;
  Flags IOCTL =
      Flags.values(
          TCGETS,
          "TCGETS",
          TCSETS,
          "TCSETS",
          TIOCSCTTY,
          "TIOCSCTTY",
          TIOCGWINSZ,
          "TIOCGWINSZ",
          TIOCSWINSZ,
          "TIOCSWINSZ",
          FIONREAD,
          "FIONREAD",
          TIOCSPTLCK,
          "TIOCSPTLCK",
          TIOCGPTPEER,
          "TIOCGPTPEER",
          TIOCGPTN & 0xffffffffL,
          "TIOCGPTN",
          NS_GET_USERNS,
          "NS_GET_USERNS",
          SIOCGIFNAME,
          "SIOCGIFNAME",
          SIOCGIFFLAGS,
          "SIOCGIFFLAGS",
          SIOCSIFFLAGS,
          "SIOCSIFFLAGS",
          UFFDIO_API & 0xffffffffL,
          "UFFDIO_API",
          UFFDIO_REGISTER & 0xffffffffL,
          "UFFDIO_REGISTER");

  @Override
  default Number number() {
    return Number.IOCTL;
  }

  /// A call that answers its return value: zero, or a descriptor.
  sealed interface Counting extends IoctlCall<Integer> {
    @Override
    default Integer result(long value, Output output) {
      return (int) value;
    }
  }

  /// ioctl(2) with an integer argument.
  record Ioctl(Descriptor descriptor, int request, long argument, boolean returned)
      implements Counting {
    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).flags(IOCTL, request & 0xffffffffL).value(argument);
    }

    @Override
    public boolean returnsDescriptor() {
      return returned;
    }
  }

  /// ioctl(2) that reads this structure.
  record IoctlWrite(Descriptor descriptor, int request, byte[] argument) implements Counting {
    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).flags(IOCTL, request & 0xffffffffL).bytes(argument);
    }
  }

  /// ioctl(2) that fills in a structure of that size.
  record IoctlRead(Descriptor descriptor, int request, int size) implements IoctlCall<byte[]> {
    @Override
    public void arguments(Arguments to) {
      to.descriptor(descriptor).flags(IOCTL, request & 0xffffffffL).out(size);
    }

    @Override
    public byte[] result(long value, Output output) {
      return output.bytes(size);
    }
  }
}
