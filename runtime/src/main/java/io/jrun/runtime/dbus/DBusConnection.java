package io.jrun.runtime.dbus;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.SocketCall;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// A connection to a bus, or to a service that listens itself. One thread uses it.
///
/// ```
///   this                                  the other side
///     | \0 AUTH EXTERNAL, DATA, BEGIN -> |   who this is, it asks the kernel (SO_PEERCRED),
///     | <-------------- DATA, OK guid     |   so that it is right in a user namespace too
///     | Hello (to a bus)  --------------> |
///     | method call  -------------------> |
///     | <------- return or error, signals |
/// ```
public final class DBusConnection implements AutoCloseable {
  private static final String BUS = "org.freedesktop.DBus";
  private static final long TIMEOUT_MILLIS = 30_000;
  private static final int CHUNK = 16384;

  private final Kernel kernel;
  private final OwnedDescriptor socket;
  private final boolean bus;
  private byte[] received = {};
  private int serial;

  /// A signal that came.
  ///
  /// @param path of the object that sent it
  public record Signal(String path, String interfaceName, String member, List<Value> body) {
    public Signal {
      body = List.copyOf(body);
    }
  }

  private final java.util.ArrayDeque<Signal> signals = new java.util.ArrayDeque<>();

  private DBusConnection(Kernel kernel, OwnedDescriptor socket, boolean bus) {
    this.kernel = kernel;
    this.socket = socket;
    this.bus = bus;
  }

  /// @param path of the unix socket; where it begins with `@` that is a name without a file
  /// @param bus whether a bus listens there, which passes messages on
  public static DBusConnection open(Kernel kernel, String path, boolean bus) {
    OwnedDescriptor socket =
        OwnedDescriptor.open(
            kernel,
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC, 0, false));
    try {
      kernel.call(new SocketCall.ReceiveTimeout(socket.descriptor(), TIMEOUT_MILLIS));
      kernel.call(new SocketCall.Connect(socket.descriptor(), address(path)));
      DBusConnection connection = new DBusConnection(kernel, socket, bus);
      connection.authenticate();
      if (bus) connection.call(BUS, "/org/freedesktop/DBus", BUS, "Hello");
      return connection;
    } catch (RuntimeException e) {
      socket.close();
      throw e instanceof DBusException ? e : new DBusException("cannot connect to " + path, e);
    }
  }

  private static byte[] address(String path) {
    byte[] address = SocketCall.unixAddress(path);
    if (!path.startsWith("@")) return address;
    address[2] = 0;
    return Arrays.copyOf(address, address.length - 1);
  }

  /// All at once, as a systemd that reads the first message together with BEGIN leaves it lying.
  private void authenticate() {
    send("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".getBytes(StandardCharsets.US_ASCII));
    String line = line();
    if (line.startsWith("DATA")) line = line();
    if (!line.startsWith("OK ")) throw new DBusException("", "authentication was refused: " + line);
  }

  private String line() {
    while (true) {
      for (int i = 1; i < received.length; i++) {
        if (received[i - 1] != '\r' || received[i] != '\n') continue;
        String line = new String(received, 0, i - 1, StandardCharsets.US_ASCII);
        received = Arrays.copyOfRange(received, i + 1, received.length);
        return line;
      }
      if (received.length > CHUNK) throw new DBusException("", "authentication without an end");
      receive();
    }
  }

  private void send(byte[] bytes) {
    for (int at = 0; at < bytes.length; ) {
      byte[] rest = at == 0 ? bytes : Arrays.copyOfRange(bytes, at, bytes.length);
      at +=
          kernel.call(
              new SocketCall.Sendmsg(
                  socket.descriptor(), rest, List.of(), SocketCall.MSG_NOSIGNAL));
    }
  }

  private void receive() {
    byte[] chunk;
    try {
      chunk =
          kernel
              .call(new SocketCall.Recvmsg(socket.descriptor(), CHUNK, SocketCall.MSG_CMSG_CLOEXEC))
              .bytes();
    } catch (KernelException e) {
      if (e.errno().equals(Errno.EAGAIN)) throw noAnswer();
      throw e;
    }
    if (chunk.length == 0) throw new DBusException("", "the other side closed the connection");
    int before = received.length;
    received = Arrays.copyOf(received, before + chunk.length);
    System.arraycopy(chunk, 0, received, before, chunk.length);
  }

  private Message next() {
    while (received.length < Message.FIXED) receive();
    int length = Message.length(received);
    while (received.length < length) receive();
    Message message = Message.read(Arrays.copyOf(received, length));
    received = Arrays.copyOfRange(received, length, received.length);
    return message;
  }

  private Optional<Signal> signal(Message message) {
    if (message.type() != Message.SIGNAL) return Optional.empty();
    return Optional.of(
        new Signal(
            message.text(Message.PATH),
            message.text(Message.INTERFACE),
            message.text(Message.MEMBER),
            message.body()));
  }

  /// Calls a method and waits for its answer; an error is thrown. Signals that come meanwhile are
  /// kept.
  ///
  /// @param destination a bus name, left out where this is no bus
  public List<Value> call(
      String destination, String path, String interfaceName, String member, Value... arguments) {
    int number = ++serial;
    send(
        Message.call(
                number, bus ? destination : "", path, interfaceName, member, List.of(arguments))
            .bytes());
    while (true) {
      Message message = next();
      signal(message).ifPresent(signals::add);
      if (message.replySerial() != number) continue;
      if (message.type() == Message.RETURN) return message.body();
      if (message.type() != Message.ERROR) continue;
      String text =
          !message.body().isEmpty()
                  && message.body().getFirst() instanceof Value.Text(char type, String said)
              ? said
              : member;
      throw new DBusException(message.text(Message.ERROR_NAME), text);
    }
  }

  /// Asks a bus for the signals of a sender; who is no bus sends them anyway.
  ///
  /// @param rule such as `type='signal',member='JobRemoved'`
  public void subscribe(String rule) {
    if (bus) call(BUS, "/org/freedesktop/DBus", BUS, "AddMatch", Value.string(rule));
  }

  /// Waits for a signal, whether it has come already or not.
  public Signal await(Predicate<Signal> wanted) {
    long end = System.nanoTime() + TIMEOUT_MILLIS * 1_000_000;
    while (true) {
      for (Signal kept = signals.poll(); kept != null; kept = signals.poll())
        if (wanted.test(kept)) return kept;
      // others may come all the time
      if (System.nanoTime() > end) throw noAnswer();
      signal(next()).ifPresent(signals::add);
    }
  }

  private static DBusException noAnswer() {
    return new DBusException("", "no answer within " + TIMEOUT_MILLIS / 1000 + " s");
  }

  @Override
  public void close() {
    socket.close();
  }
}
