package io.jrun.cni.netlink;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.SocketCall;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// An rtnetlink socket: it acts in the network namespace in which it was made, whoever uses it.
///
/// ```
///   this                                   kernel
///     | request 1, request 2, …, n + ACK --> |   one datagram, worked off in order
///     | <-- errors and replies of 1 … n - 1  |   a failure does not stop those behind it
///     | <-- acknowledgement of n             |
/// ```
public final class NetlinkSocket implements AutoCloseable {
  private static final int TYPE = SocketCall.SOCK_RAW | SocketCall.SOCK_CLOEXEC;
  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_CAP_ACK = 10;
  private static final int NETLINK_EXT_ACK = 11;
  private static final int[] OPTIONS = {NETLINK_CAP_ACK, NETLINK_EXT_ACK};
  private static final int ANSWER_SIZE = 8192;
  private static final int DUMP_SIZE = 65536;
  private static final int NLMSGERR_ATTR_MSG = 1;
  private static final int POLLIN = 1;
  private static final int IFREQ = 40;
  private static final int IFNAMSIZ = 16;
  private static final long TIMEOUT_MILLIS = 30_000;

  private final Kernel kernel;
  private final OwnedDescriptor socket;
  private int sequence = 1;

  /// Takes a socket over, wherever it was made, with its options.
  public NetlinkSocket(Kernel kernel, OwnedDescriptor socket) {
    this.kernel = kernel;
    this.socket = socket;
  }

  /// Has a helper make a socket where it is at that moment; it comes with the batch's answer. A
  /// failure does not stop the batch.
  public static Pending<Descriptor> addTo(Batch batch) {
    Pending<Descriptor> made =
        batch.attempt(
            new SocketCall.Socket(SocketCall.AF_NETLINK, TYPE, Protocol.ROUTE.number, true));
    for (int option : OPTIONS) {
      batch.attempt(new SocketCall.Setsockopt(made.descriptor(), SOL_NETLINK, option, 1));
    }
    return made;
  }

  /// A socket in a helper's network namespace.
  public static NetlinkSocket in(HelperKernel helper, Kernel kernel) {
    Batch batch = new Batch();
    Pending<Descriptor> made = addTo(batch);
    return new NetlinkSocket(kernel, helper.take(batch, made));
  }

  /// What a socket speaks with: a part of the kernel.
  public enum Protocol {
    ROUTE(0),
    NETFILTER(12);

    private final int number;

    Protocol(int number) {
      this.number = number;
    }
  }

  /// A socket in the engine's own namespace.
  public static NetlinkSocket open(Kernel kernel, Protocol protocol) {
    OwnedDescriptor made =
        OwnedDescriptor.open(
            kernel, new SocketCall.Socket(SocketCall.AF_NETLINK, TYPE, protocol.number, false));
    try {
      for (int option : OPTIONS) {
        kernel.call(new SocketCall.Setsockopt(made.descriptor(), SOL_NETLINK, option, 1));
      }
      return new NetlinkSocket(kernel, made);
    } catch (RuntimeException e) {
      Undoing.suppressing(e, made::close);
      throw e;
    }
  }

  public static NetlinkSocket open(Kernel kernel) {
    return open(kernel, Protocol.ROUTE);
  }

  /// Sends the requests in one message and returns what became of each.
  public List<Answer> exchange(List<Request> requests) {
    return exchange(requests, requests.size() - 1);
  }

  /// @param acknowledged the request after whose answer nothing more is waited for
  public List<Answer> exchange(List<Request> requests, int acknowledged) {
    if (requests.isEmpty()) return List.of();
    int first = sequence;
    sequence += requests.size();
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int i = 0; i < requests.size(); i++) {
      Request request = requests.get(i);
      all.writeBytes(request.bytes(first + i, i == acknowledged && !request.isDump()));
    }
    kernel.call(
        new SocketCall.Sendmsg(
            socket.descriptor(), all.toByteArray(), List.of(), SocketCall.MSG_NOSIGNAL));
    return new Collector(requests, first, acknowledged).collect();
  }

  /// Sends the requests and throws the first failure.
  public List<Answer> perform(Request... requests) {
    return perform(List.of(requests));
  }

  public List<Answer> perform(List<Request> requests) {
    List<Answer> answers = exchange(requests);
    for (Answer answer : answers) answer.orThrow();
    return answers;
  }

  /// One request whose failure is a value.
  public Answer attempt(Request request) {
    return exchange(List.of(request)).getFirst();
  }

  /// All that the kernel lists.
  public List<Reply> dump(Request request) {
    return attempt(request).orThrow().replies();
  }

  /// Whether there is a link of that index. It is asked without the kernel's lock of links, which a
  /// request would wait for (netdevice(7), SIOCGIFNAME).
  public boolean finds(int link) {
    ByteBuffer request = ByteBuffer.allocate(IFREQ).order(ByteOrder.nativeOrder());
    request.putInt(IFNAMSIZ, link);
    try {
      kernel.call(
          new IoctlCall.IoctlWrite(socket.descriptor(), IoctlCall.SIOCGIFNAME, request.array()));
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENODEV)) return false;
      throw e;
    }
  }

  /// The answers to all but dumps wait already when the request has been sent.
  private byte[] receive(int size) {
    while (true) {
      try {
        return kernel
            .call(new SocketCall.Recvmsg(socket.descriptor(), size, SocketCall.MSG_DONTWAIT))
            .bytes();
      } catch (KernelException e) {
        if (!e.errno().equals(Errno.EAGAIN)) throw e;
      }
      if (kernel.call(new DescriptorCall.Poll(socket.descriptor(), POLLIN, TIMEOUT_MILLIS)) == 0) {
        throw new NetlinkException("netlink: the kernel does not answer");
      }
    }
  }

  /// Sorts what comes by the requests' sequence numbers.
  private final class Collector {
    private final List<Request> requests;
    private final int first;
    private final int last;
    private final int[] errnos;
    private final String[] texts;
    private final List<List<Reply>> replies = new ArrayList<>();
    private boolean isOver;

    Collector(List<Request> requests, int first, int last) {
      this.last = last;
      this.requests = requests;
      this.first = first;
      this.errnos = new int[requests.size()];
      this.texts = new String[requests.size()];
      for (int i = 0; i < requests.size(); i++) replies.add(new ArrayList<>());
    }

    List<Answer> collect() {
      int size = requests.get(last).isDump() ? DUMP_SIZE : ANSWER_SIZE;
      while (!isOver) {
        for (Reply reply : Reply.split(receive(size))) take(reply);
      }
      List<Answer> answers = new ArrayList<>();
      for (int i = 0; i < requests.size(); i++) {
        String text = texts[i] == null ? "" : texts[i];
        answers.add(new Answer(requests.get(i), errnos[i], text, replies.get(i)));
      }
      return answers;
    }

    private void take(Reply reply) {
      int index = reply.sequence() - first;
      if (index < 0 || index >= requests.size()) return; // of an exchange that timed out
      switch (reply.type()) {
        case Reply.NLMSG_ERROR -> {
          errnos[index] = -reply.i32(0);
          texts[index] = explanation(reply);
          isOver |= index == last;
        }
        case Reply.NLMSG_DONE -> {
          errnos[index] = Math.max(0, -reply.i32(0));
          isOver |= index == last;
        }
        default -> replies.get(index).add(reply);
      }
    }

    private String explanation(Reply reply) {
      if ((reply.flags() & Reply.NLM_F_ACK_TLVS) == 0) return "";
      int echoed = 16;
      if ((reply.flags() & Reply.NLM_F_CAPPED) == 0) echoed = Math.max(16, reply.i32(4));
      return reply.attributes(4 + (echoed + 3 & -4)).string(NLMSGERR_ATTR_MSG);
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
