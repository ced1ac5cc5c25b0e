package io.jrun.kernel.call;

import java.util.List;

/// Sockets, and descriptors sent over them.
public sealed interface SocketCall<R> extends HostCall<R> {
  /// How many descriptors come or go with one message at most.
  int MOST_DESCRIPTORS = 64;

  int AF_UNIX = 1;
  int AF_INET = 2;
  int AF_NETLINK = 16;
  int SOCK_STREAM = 1;
  int SOCK_DGRAM = 2;
  int SOCK_RAW = 3;
  int SOCK_SEQPACKET = 5;
  int SOCK_CLOEXEC = 02000000;
  int SOL_SOCKET = 1;
  int SO_PEERCRED = 17;
  int SO_SNDBUFFORCE = 32;
  int SO_RCVTIMEO = 20;
  int MSG_NOSIGNAL = 0x4000;
  int MSG_CMSG_CLOEXEC = 0x40000000;
  int MSG_DONTWAIT = 0x40;

  /// A unix(7) address; at most 107 bytes of path.
  static byte[] unixAddress(String path) {
    byte[] bytes = path.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    if (bytes.length > 107)
      throw new IllegalArgumentException("path too long for a socket: " + path);
    byte[] address = new byte[2 + bytes.length + 1];
    address[0] = AF_UNIX;
    System.arraycopy(bytes, 0, address, 2, bytes.length);
    return address;
  }

  private static byte[] rights(List<Integer> descriptors) {
    java.nio.ByteBuffer b =
        java.nio.ByteBuffer.allocate(16 + (4 * descriptors.size() + 7) / 8 * 8)
            .order(java.nio.ByteOrder.nativeOrder());
    b.putLong(16 + 4L * descriptors.size()).putInt(SOL_SOCKET).putInt(1);
    descriptors.forEach(b::putInt);
    return b.array();
  }

  /// A call that answers only that it succeeded.
  sealed interface Action extends SocketCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// socket(2).
  record Socket(int family, int type, int protocol, boolean returned)
      implements SocketCall<Descriptor> {
    @Override
    public Number number() {
      return Number.SOCKET;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(family).value(type).value(protocol);
    }

    @Override
    public Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }

    @Override
    public boolean returnsDescriptor() {
      return returned;
    }
  }

  /// socketpair(2) of AF_UNIX, both ends close-on-exec.
  record Socketpair(int type) implements SocketCall<List<Integer>> {
    @Override
    public Number number() {
      return Number.SOCKETPAIR;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(AF_UNIX).value(type | SOCK_CLOEXEC).value(0).out(8);
    }

    @Override
    public List<Integer> result(long value, Output output) {
      return List.of(output.buffer().getInt(0), output.buffer().getInt(4));
    }
  }

  /// connect(2).
  record Connect(Descriptor socket, byte[] address) implements Action {
    @Override
    public Number number() {
      return Number.CONNECT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket).bytes(address).value(address.length);
    }
  }

  /// bind(2).
  record Bind(Descriptor socket, byte[] address) implements Action {
    @Override
    public Number number() {
      return Number.BIND;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket).bytes(address).value(address.length);
    }
  }

  /// listen(2).
  record Listen(Descriptor socket, int backlog) implements Action {
    @Override
    public Number number() {
      return Number.LISTEN;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket).value(backlog);
    }
  }

  /// accept4(2), close-on-exec.
  record Accept4(Descriptor socket) implements SocketCall<Descriptor> {
    @Override
    public Number number() {
      return Number.ACCEPT4;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket).bytes(null).bytes(null).value(SOCK_CLOEXEC);
    }

    @Override
    public Descriptor result(long value, Output output) {
      return new Descriptor.Known((int) value);
    }
  }

  /// shutdown(2): 0 reads, 1 writes, 2 both.
  record Shutdown(Descriptor socket, int how) implements Action {
    @Override
    public Number number() {
      return Number.SHUTDOWN;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket).value(how);
    }
  }

  /// getsockopt(2) of SO_PEERCRED: pid, uid, gid of the peer when it connected.
  record PeerCredentials(Descriptor socket) implements SocketCall<List<Integer>> {
    @Override
    public Number number() {
      return Number.GETSOCKOPT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket)
          .value(SOL_SOCKET)
          .value(SO_PEERCRED)
          .out(12)
          .bytes(new byte[] {12, 0, 0, 0});
    }

    @Override
    public List<Integer> result(long value, Output output) {
      return List.of(
          output.buffer().getInt(0), output.buffer().getInt(4), output.buffer().getInt(8));
    }
  }

  /// setsockopt(2) of an integer.
  record Setsockopt(Descriptor socket, int level, int option, int value) implements Action {
    @Override
    public Number number() {
      return Number.SETSOCKOPT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket).value(level).value(option).struct(o -> o.u32("value", value)).value(4);
    }
  }

  /// setsockopt(2) of SO_RCVTIMEO: how long accept4 and recvmsg wait until EAGAIN; 0 is for ever.
  record ReceiveTimeout(Descriptor socket, long millis) implements Action {
    @Override
    public Number number() {
      return Number.SETSOCKOPT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket)
          .value(SOL_SOCKET)
          .value(SO_RCVTIMEO)
          .struct(t -> t.u64("tv_sec", millis / 1000).u64("tv_usec", millis % 1000 * 1000))
          .value(16);
    }
  }

  /// sendmsg(2) of the first `size` of these bytes, with descriptors of the sender: how many bytes
  /// were taken.
  record Sendmsg(Descriptor socket, byte[] bytes, int size, List<Integer> descriptors, int flags)
      implements SocketCall<Integer> {
    public Sendmsg(Descriptor socket, byte[] bytes, List<Integer> descriptors, int flags) {
      this(socket, bytes, bytes.length, descriptors, flags);
    }

    @Override
    public Number number() {
      return Number.SENDMSG;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket)
          .struct(m -> {
            m.u64("name", 0).u64("namelen", 0);
            m.iovec("iov", bytes, size).u64("iovlen", 1);
            if (descriptors.isEmpty()) m.u64("control", 0).u64("controllen", 0);
            else
              m.pointer("control", rights(descriptors))
                  .u64("controllen", rights(descriptors).length);
            m.u64("flags", 0);
          })
          .value(flags);
    }

    @Override
    public Integer result(long value, Output output) {
      return (int) value;
    }
  }

  /// recvmsg(2) of at most `size` bytes with at most [#MOST_DESCRIPTORS].
  record Recvmsg(Descriptor socket, int size, int flags) implements SocketCall<Received> {
    @Override
    public Number number() {
      return Number.RECVMSG;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(socket)
          .struct(m ->
              m.u64("name", 0)
                  .u64("namelen", 0)
                  .iovecOut("iov", size)
                  .u64("iovlen", 1)
                  .out("control", 16 + MOST_DESCRIPTORS * 4)
                  .u64("controllen", 16 + MOST_DESCRIPTORS * 4)
                  .u64("flags", 0))
          .value(flags);
    }

    @Override
    public Received result(long value, Output output) {
      return Received.of(value, size, output);
    }
  }
}
