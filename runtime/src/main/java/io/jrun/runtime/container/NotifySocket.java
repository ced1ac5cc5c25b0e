package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The container's end of sd_notify(3), where the caller has $NOTIFY_SOCKET: a socket in the state
/// directory, which the container sees as /run/notify. That the container is ready is passed on by
/// the client, as the service manager asks who says so, with the container's pid; nothing else is.
final class NotifySocket implements AutoCloseable {
  private static final String VARIABLE = "NOTIFY_SOCKET";
  private static final String DIRECTORY = "notify";
  private static final String NAME = "notify.sock";
  private static final String INSIDE = "/run/notify";
  private static final int LARGEST = 4096;
  private static final int POLLIN = 1;
  private static final long LOOK_MILLIS = 100;
  private static final long BARRIER_MILLIS = 30_000;

  private final Kernel kernel;
  private final ClientProcess client;
  private final String manager;
  private final OwnedDescriptor socket;

  private NotifySocket(
      Kernel kernel, ClientProcess client, String manager, OwnedDescriptor socket) {
    this.kernel = kernel;
    this.client = client;
    this.manager = manager;
    this.socket = socket;
  }

  private static @Nullable String manager(ClientProcess client) {
    return client.variable(VARIABLE).filter(path -> !path.isEmpty()).orElse(null);
  }

  /// The bundle with the socket's directory and the variable, where the caller has one.
  static Bundle added(
      Bundle bundle, Configs configs, ClientProcess client, Store store, String id) {
    if (manager(client) == null) return bundle;
    byte[] changed = added((JsonObject) Json.parse(bundle.bytes()), store, id);
    return Bundle.of(bundle.path(), changed, configs, bundle.ownCgroups());
  }

  private static byte[] added(JsonObject config, Store store, String id) {
    JsonObject json = config;
    JsonObject mount =
        JsonObject.EMPTY
            .with("destination", Json.of(INSIDE))
            .with("type", Json.of("bind"))
            .with("source", Json.of(directory(store, id)))
            .with("options", array(List.of("bind", "nosuid", "noexec", "nodev", "ro")));
    json = json.with("mounts", appended(json.member("mounts"), mount));
    if (!(json.member("process") instanceof JsonObject process))
      return json.toText().getBytes(StandardCharsets.UTF_8);
    Json variable = Json.of(VARIABLE + "=" + INSIDE + "/" + NAME);
    process = process.with("env", appended(process.member("env"), variable));
    return json.with("process", process).toText().getBytes(StandardCharsets.UTF_8);
  }

  private static Json appended(@Nullable Json array, Json more) {
    List<Json> all = new ArrayList<>();
    if (array instanceof JsonArray before) all.addAll(before.elements());
    all.add(more);
    return new JsonArray(all);
  }

  private static Json array(List<String> texts) {
    return new JsonArray(texts.stream().<Json>map(Json::of).toList());
  }

  private static String directory(Store store, String id) {
    return store.directory(id) + "/" + DIRECTORY;
  }

  /// Makes the directory that the container is to see.
  static void makeDirectory(Kernel kernel, ClientProcess client, Store store, String id) {
    if (manager(client) != null)
      kernel.call(new FileCall.Mkdirat(Descriptor.CWD, directory(store, id), 0755));
  }

  /// The socket, before the program starts; null where the caller has none, or had none at create.
  static @Nullable NotifySocket bind(Kernel kernel, ClientProcess client, Store store, String id) {
    String manager = manager(client);
    if (manager == null) return null;
    String path = directory(store, id) + "/" + NAME;
    OwnedDescriptor socket =
        OwnedDescriptor.open(
            kernel,
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_DGRAM | SocketCall.SOCK_CLOEXEC, 0, false));
    try {
      SocketPath.use(kernel, path, address -> new SocketCall.Bind(socket.descriptor(), address));
      kernel.call(new FileCall.Fchmodat(Descriptor.CWD, path, 0777));
      return new NotifySocket(kernel, client, manager, socket);
    } catch (KernelException e) {
      socket.close();
      if (e.errno().equals(Errno.ENOENT)) return null;
      throw e;
    }
  }

  /// Waits until the container says that it is ready, and tells the manager; or until it ends.
  void await(HostProcess init) {
    while (true) {
      if (kernel.call(new DescriptorCall.Poll(socket.descriptor(), POLLIN, LOOK_MILLIS)) != 0) {
        byte[] bytes = kernel.call(new SocketCall.Recvmsg(socket.descriptor(), LARGEST, 0)).bytes();
        for (String line : new String(bytes, StandardCharsets.UTF_8).split("\n")) {
          if (!line.startsWith("READY=")) continue;
          tell(line, init.pid());
          return;
        }
      } else if (!init.alive()) {
        return;
      }
    }
  }

  /// With a barrier, so that the manager has read it all before this process may end
  /// (sd_notify_barrier(3)).
  private void tell(String ready, int pid) {
    Descriptor out =
        client.helper.call(
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_DGRAM | SocketCall.SOCK_CLOEXEC, 0, false));
    List<Integer> barrier = client.helper.call(new DescriptorCall.Pipe2());
    Descriptor read = new Descriptor.Known(barrier.get(0));
    try {
      Batch batch = new Batch();
      batch.add(new SocketCall.Connect(out, address(manager)));
      send(batch, out, ready + "\n", List.of());
      send(batch, out, "MAINPID=" + pid + "\n", List.of());
      send(batch, out, "BARRIER=1", List.of(barrier.get(1)));
      batch.add(new FileCall.Close(new Descriptor.Known(barrier.get(1))));
      client.helper.run(batch);
      if (client.helper.call(new DescriptorCall.Poll(read, POLLIN, BARRIER_MILLIS)) == 0)
        client.log.warning("timeout after waiting 30s for the service manager's barrier");
    } finally {
      Batch close = new Batch();
      close.attempt(new FileCall.Close(read));
      close.attempt(new FileCall.Close(out));
      client.helper.run(close);
    }
  }

  private static void send(Batch batch, Descriptor to, String text, List<Integer> descriptors) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    batch.add(new SocketCall.Sendmsg(to, bytes, descriptors, SocketCall.MSG_NOSIGNAL));
  }

  /// A path, or with `@` an abstract name (unix(7)), which has no zero at its end.
  private static byte[] address(String socket) {
    byte[] address = SocketCall.unixAddress(socket);
    if (!socket.startsWith("@")) return address;
    address[2] = 0;
    return Arrays.copyOf(address, address.length - 1);
  }

  @Override
  public void close() {
    socket.close();
  }
}
