package io.jrun.runtime.engine;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.ttrpc.TtrpcFrame;
import io.jrun.specs.ttrpc.TtrpcRequest;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Takes events as containerd does.
final class EventSink implements AutoCloseable {
  private final Path path;
  private final ServerSocketChannel server;
  private final List<SocketChannel> clients = new ArrayList<>();
  private final List<String> events = new ArrayList<>();

  EventSink(Path path) throws IOException {
    this.path = path;
    Files.deleteIfExists(path);
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(path));
    Thread.ofPlatform().daemon(true).name("event-sink").start(this::accept);
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel client = server.accept();
        synchronized (events) {
          clients.add(client);
        }
        Thread.ofPlatform().daemon(true).name("event-client").start(() -> serve(client));
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void serve(SocketChannel client) {
    try {
      while (true) {
        TtrpcFrame frame = TtrpcClient.receive(client);
        TtrpcRequest request = TtrpcRequest.read(frame.data());
        ProtoMessage envelope = ProtoMessage.parse(request.payload()).message(1);
        byte[] answer = TtrpcResponse.ok(new byte[0]).toBytes();
        TtrpcFrame response = new TtrpcFrame(frame.stream(), TtrpcFrame.RESPONSE, 0, answer);
        // an event that is seen here is answered, and one that is answered is seen
        synchronized (events) {
          client.write(ByteBuffer.wrap(response.toBytes()));
          events.add(text(envelope));
          events.notifyAll();
        }
      }
    } catch (IOException e) {
      // the keeper is gone, or this
    }
  }

  /// The topic, what it is about, and of an exit the status.
  private static String text(ProtoMessage envelope) {
    String topic = envelope.string(3).substring("/tasks/".length());
    ProtoMessage event = ProtoMessage.parse(envelope.message(4).bytes(2));
    return switch (topic) {
      case "exit" -> topic + " " + event.string(2) + " " + event.int32(4);
      case "exec-added", "exec-started" -> topic + " " + event.string(2);
      // an id is that of an exec'd process, of which this is not told
      case "delete" -> topic + " " + event.string(1) + event.string(5) + " " + event.int32(3);
      default -> topic + " " + event.string(1);
    };
  }

  List<String> events() {
    synchronized (events) {
      return List.copyOf(events);
    }
  }

  /// Waits for so many.
  List<String> await(int count) throws InterruptedException {
    long end = System.nanoTime() + TtrpcClient.TIMEOUT_SECONDS * 1_000_000_000;
    synchronized (events) {
      while (events.size() < count && System.nanoTime() < end) events.wait(100);
      return List.copyOf(events);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    synchronized (events) {
      for (SocketChannel client : clients) client.close();
    }
    Files.deleteIfExists(path);
  }
}
