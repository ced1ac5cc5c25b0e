package io.jrun.runtime.container;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// rtnetlink(7) in a helper's network namespace, as far as network devices are moved by it.
final class RouteSocket implements AutoCloseable {
  static final int RTM_NEWLINK = 16;
  static final int RTM_GETLINK = 18;
  static final int RTM_NEWADDR = 20;
  static final int RTM_GETADDR = 22;
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int REQUEST_WITH_ACK = 5;
  private static final int REQUEST_ALL = 0x301;
  private static final int NETLINK_ROUTE = 0;
  private static final int HEADER = 16;
  private static final int CHUNK = 65536;

  private final HelperKernel helper;
  private final Descriptor socket;
  private int sequence;

  RouteSocket(HelperKernel helper) {
    this.helper = helper;
    this.socket =
        helper.call(
            new SocketCall.Socket(
                SocketCall.AF_NETLINK,
                SocketCall.SOCK_RAW | SocketCall.SOCK_CLOEXEC,
                NETLINK_ROUTE,
                false));
  }

  /// A message of the kernel: its type and what is behind the header.
  record Answer(int type, ByteBuffer body) {
    /// The attribute's bytes, empty where it is absent.
    ///
    /// @param fixed the size of the structure before the attributes
    byte[] attribute(int fixed, int type) {
      for (int at = fixed; at + 4 <= body.limit(); ) {
        int length = Short.toUnsignedInt(body.getShort(at));
        if (length < 4) break;
        if (Short.toUnsignedInt(body.getShort(at + 2)) == type) {
          byte[] bytes = new byte[length - 4];
          body.get(at + 4, bytes);
          return bytes;
        }
        at += length + 3 & ~3;
      }
      return new byte[0];
    }
  }

  /// One change or question; the kernel's refusal is an exception that says what was tried.
  List<Answer> ask(String what, int type, byte[] body) {
    return exchange(what, type, REQUEST_WITH_ACK, body);
  }

  /// All objects of a kind.
  List<Answer> all(String what, int type, byte[] body) {
    return exchange(what, type, REQUEST_ALL, body);
  }

  private List<Answer> exchange(String what, int type, int flags, byte[] body) {
    ByteBuffer message = ByteBuffer.allocate(HEADER + body.length).order(ByteOrder.nativeOrder());
    message.putInt(HEADER + body.length).putShort((short) type).putShort((short) flags);
    message.putInt(++sequence).putInt(0).put(body);
    helper.call(new SocketCall.Sendmsg(socket, message.array(), List.of(), 0));
    List<Answer> answers = new ArrayList<>();
    while (true) {
      byte[] bytes = helper.call(new SocketCall.Recvmsg(socket, CHUNK, 0)).bytes();
      ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
      for (int at = 0; at + HEADER <= bytes.length; ) {
        int length = all.getInt(at);
        int kind = Short.toUnsignedInt(all.getShort(at + 4));
        if (kind == NLMSG_DONE) return answers;
        if (kind == NLMSG_ERROR) {
          int errno = -all.getInt(at + HEADER);
          if (errno == 0) return answers;
          Errno error = Errno.of(errno);
          throw new ContainerException(what + ": " + error.name() + " (" + error.text() + ")");
        }
        ByteBuffer content = all.slice(at + HEADER, length - HEADER).order(ByteOrder.nativeOrder());
        answers.add(new Answer(kind, content));
        at += length + 3 & ~3;
      }
    }
  }

  /// struct ifinfomsg and attributes.
  static byte[] link(int index, int flags, int change, byte[]... attributes) {
    ByteBuffer link = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
    link.putInt(0).putInt(index).putInt(flags).putInt(change);
    return joined(link.array(), attributes);
  }

  static byte[] joined(byte[] fixed, byte[]... attributes) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(fixed);
    for (byte[] attribute : attributes) all.writeBytes(attribute);
    return all.toByteArray();
  }

  /// struct rtattr with its data and padding.
  static byte[] attribute(int type, byte[] data) {
    ByteBuffer attribute =
        ByteBuffer.allocate(4 + data.length + 3 & ~3).order(ByteOrder.nativeOrder());
    attribute.putShort((short) (4 + data.length)).putShort((short) type).put(data);
    return attribute.array();
  }

  @Override
  public void close() {
    helper.call(new FileCall.Close(socket));
  }
}
