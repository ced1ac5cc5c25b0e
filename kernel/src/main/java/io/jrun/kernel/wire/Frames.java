package io.jrun.kernel.wire;

import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.Received;
import io.jrun.kernel.call.SocketCall;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A stream socket as messages whose length their own header says, with descriptors.
final class Frames {
  private static final int CHUNK = 32768;

  record Frame(byte[] bytes, List<Integer> descriptors) {}

  private final Kernel kernel;
  private final OwnedDescriptor socket;
  private byte[] left = new byte[0];

  Frames(Kernel kernel, OwnedDescriptor socket) {
    this.kernel = kernel;
    this.socket = socket;
  }

  void send(byte[] message, int size, List<Integer> descriptors) {
    int sent = 0;
    List<Integer> passing = descriptors;
    while (sent < size) {
      byte[] rest =
          sent == 0 && message.length == size ? message : Arrays.copyOfRange(message, sent, size);
      try {
        sent +=
            kernel.call(
                new SocketCall.Sendmsg(
                    socket.descriptor(), rest, passing, SocketCall.MSG_NOSIGNAL));
        passing = List.of();
      } catch (KernelException e) {
        if (e.errno().equals(Errno.EINTR)) continue;
        throw gone(e);
      }
    }
  }

  /// Receives bytes until there are `header` of them, then as many as `length` makes of them.
  /// Descriptors that came before a failure are closed.
  Frame receive(int header, java.util.function.ToIntFunction<ByteBuffer> length) {
    List<Integer> descriptors = new ArrayList<>();
    try {
      return receive(header, length, descriptors);
    } catch (RuntimeException e) {
      for (int number : descriptors) new OwnedDescriptor(kernel, number).close();
      throw e;
    }
  }

  private Frame receive(
      int header, java.util.function.ToIntFunction<ByteBuffer> length, List<Integer> descriptors) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(left);
    int want = header;
    boolean known = false;
    while (true) {
      if (!known && all.size() >= header) {
        want = length.applyAsInt(ByteBuffer.wrap(all.toByteArray()).order(ByteOrder.nativeOrder()));
        known = true;
      }
      if (known && all.size() >= want) break;
      Received received = receiveSome(Math.min(4 << 20, Math.max(CHUNK, want - all.size())));
      if (received.bytes().length == 0) throw new HelperGoneException("the helper ended");
      all.writeBytes(received.bytes());
      descriptors.addAll(received.descriptors());
    }
    byte[] bytes = all.toByteArray();
    left = Arrays.copyOfRange(bytes, want, bytes.length);
    return new Frame(left.length == 0 ? bytes : Arrays.copyOf(bytes, want), descriptors);
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
