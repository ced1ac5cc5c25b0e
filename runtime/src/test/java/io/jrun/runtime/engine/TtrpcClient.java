package io.jrun.runtime.engine;

import io.jrun.specs.ttrpc.TtrpcFrame;
import io.jrun.specs.ttrpc.TtrpcRequest;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// A ttrpc client as containerd is one: many requests under way over one connection.
final class TtrpcClient implements AutoCloseable {
  static final long TIMEOUT_SECONDS = 6 * Sandbox.TIMEOUT_SECONDS;

  private final SocketChannel channel;
  private final Map<Integer, CompletableFuture<TtrpcResponse>> calls = new ConcurrentHashMap<>();
  private int stream = -1;
  private volatile boolean isBroken;

  TtrpcClient(String address) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(address.replaceFirst("^unix://", "")));
  }

  /// One that takes its answers.
  static TtrpcClient reading(String address) throws IOException {
    TtrpcClient client = new TtrpcClient(address);
    Thread.ofPlatform().daemon(true).name("ttrpc-client").start(client::read);
    return client;
  }

  private void read() {
    try {
      while (true) {
        TtrpcFrame frame = receive(channel);
        CompletableFuture<TtrpcResponse> call = calls.remove(frame.stream());
        if (call != null) call.complete(TtrpcResponse.read(frame.data()));
      }
    } catch (IOException e) {
      isBroken = true;
      calls.values().forEach(call -> call.completeExceptionally(e));
    }
  }

  static TtrpcFrame receive(SocketChannel channel) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(TtrpcFrame.HEADER);
    fill(channel, header);
    ByteBuffer data = ByteBuffer.allocate(header.getInt(0));
    fill(channel, data);
    return new TtrpcFrame(header.getInt(4), header.get(8), header.get(9), data.array());
  }

  private static void fill(SocketChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) if (channel.read(buffer) < 0) throw new EOFException();
  }

  boolean isBroken() {
    return isBroken;
  }

  /// Bytes as they are.
  synchronized void raw(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) channel.write(buffer);
  }

  SocketChannel channel() {
    return channel;
  }

  synchronized int nextStream() {
    return stream += 2;
  }

  CompletableFuture<TtrpcResponse> send(String service, String method, byte[] payload) {
    try {
      synchronized (this) {
        int number = nextStream();
        CompletableFuture<TtrpcResponse> call = new CompletableFuture<>();
        calls.put(number, call);
        byte[] request = new TtrpcRequest(service, method, payload, 0, Map.of()).toBytes();
        raw(new TtrpcFrame(number, TtrpcFrame.REQUEST, 0, request).toBytes());
        return call;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Awaits the answer to that stream, whatever its request was.
  CompletableFuture<TtrpcResponse> expect(int number) {
    return calls.computeIfAbsent(number, n -> new CompletableFuture<>());
  }

  static TtrpcResponse await(CompletableFuture<TtrpcResponse> call) {
    try {
      return call.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError("no answer: " + e, e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
