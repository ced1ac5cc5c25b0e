package io.jrun.kernel.call;

import java.util.Arrays;

/// ioctl(2): the controls of terminals, of network interfaces, of namespaces, of loop devices and
/// of userfaultfd(2).
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

  int LOOP_CONFIGURE = 0x4c0a;
  int LOOP_CTL_GET_FREE = 0x4c82;
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
          LOOP_CONFIGURE,
          "LOOP_CONFIGURE",
          LOOP_CTL_GET_FREE,
          "LOOP_CTL_GET_FREE",
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
  int LO_FLAGS_READ_ONLY = 1;
  int LO_FLAGS_AUTOCLEAR = 4;
  int LO_FLAGS_DIRECT_IO = 16;
  Flags LO_FLAGS =
      Flags.bits(
          LO_FLAGS_READ_ONLY,
          "LO_FLAGS_READ_ONLY",
          LO_FLAGS_AUTOCLEAR,
          "LO_FLAGS_AUTOCLEAR",
          LO_FLAGS_DIRECT_IO,
          "LO_FLAGS_DIRECT_IO");

  @Override
  default Number number() {
    return Number.IOCTL;
  }

  /// A call that answers its return value: zero, a number or a descriptor.
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

  /// LOOP_CONFIGURE (loop(4)), Linux 5.8: puts a file behind a loop device.
  ///
  /// @param name of the file, for those who look at the device; what is too long is cut off
  record LoopConfigure(Descriptor device, Descriptor file, String name, int flags)
      implements Counting {
    private static final int LO_NAME_SIZE = 64;

    @Override
    public void arguments(Arguments to) {
      byte[] fileName = Arrays.copyOf(Names.encode(name), LO_NAME_SIZE);
      fileName[LO_NAME_SIZE - 1] = 0;
      to.descriptor(device)
          .flags(IOCTL, LOOP_CONFIGURE)
          .struct(a ->
              a.descriptor32("fd", file)
                  .u32("block_size", 0)
                  .raw("", new byte[52])
                  .flags32("lo_flags", LO_FLAGS, flags)
                  .raw("lo_file_name", fileName)
                  .raw("", new byte[112 + 64]));
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
