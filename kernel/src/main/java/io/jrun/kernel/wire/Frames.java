package io.jrun.kernel.wire;

import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Received;
import io.jrun.kernel.call.SocketCall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A stream socket as messages whose length their own header says, with descriptors.
final class Frames {
  private static final byte[] NONE = {};
  private static final int CHUNK = 1 << 20;

  record Frame(byte[] bytes, List<Integer> descriptors) {}

  private final Kernel kernel;
  private final OwnedDescriptor socket;
  private byte[] left = NONE;

  Frames(Kernel kernel, OwnedDescriptor socket) {
    this.kernel = kernel;
    this.socket = socket;
  }

  void send(byte[] message, int size, List<Integer> descriptors) {
    int sent = 0;
    List<Integer> passing = descriptors;
    while (sent < size) {
      byte[] rest = sent == 0 ? message : Arrays.copyOfRange(message, sent, size);
      try {
        sent +=
            kernel.call(
                new SocketCall.Sendmsg(
                    socket.descriptor(), rest, size - sent, passing, SocketCall.MSG_NOSIGNAL));
        passing = List.of();
      } catch (KernelException e) {
        if (e.errno().equals(Errno.EINTR)) continue;
        throw gone(e);
      }
    }
  }

  /// Receives bytes until there are `header` of them, then as many as `length` makes of them.
  /// Descriptors that came before a failure are closed.
  ///
  /// @param likely how many bytes there may be: no more are asked for at first
  Frame receive(int header, int likely, java.util.function.ToIntFunction<ByteBuffer> length) {
    List<Integer> descriptors = new ArrayList<>();
    try {
      return receive(header, likely, length, descriptors);
    } catch (RuntimeException e) {
      for (int number : descriptors) new OwnedDescriptor(kernel, number).close();
      throw e;
    }
  }

  private Frame receive(
      int header,
      int likely,
      java.util.function.ToIntFunction<ByteBuffer> length,
      List<Integer> descriptors) {
    byte[] all = left;
    int want = header;
    boolean known = false;
    while (true) {
      if (!known && all.length >= header) {
        want = length.applyAsInt(ByteBuffer.wrap(all).order(ByteOrder.nativeOrder()));
        known = true;
      }
      if (known && all.length >= want) break;
      int missing = (known ? want : Math.max(header, likely)) - all.length;
      Received received = receiveSome(Math.clamp(missing, 1, CHUNK));
      if (received.bytes().length == 0) throw new HelperGoneException("the helper ended");
      all = joined(all, received.bytes());
      descriptors.addAll(received.descriptors());
    }
    left = all.length == want ? NONE : Arrays.copyOfRange(all, want, all.length);
    return new Frame(all.length == want ? all : Arrays.copyOf(all, want), descriptors);
  }

  private static byte[] joined(byte[] a, byte[] b) {
    if (a.length == 0) return b;
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private Received receiveSome(int size) {
    while (true) {
      try {
        return kernel.call(
            new SocketCall.Recvmsg(socket.descriptor(), size, SocketCall.MSG_CMSG_CLOEXEC));
      } catch (KernelException e) {
        if (e.errno().equals(Errno.EINTR)) continue;
        throw gone(e);
      }
    }
  }

  private static RuntimeException gone(KernelException e) {
    if (e.errno().equals(Errno.EPIPE) || e.errno().equals(Errno.ECONNRESET)) {
      return new HelperGoneException("the helper ended");
    }
    return e;
  }

  Descriptor socket() {
    return socket.descriptor();
  }

  void close() {
    socket.close();
  }
}
