package io.jrun.e2e;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/// A stream of the kubelet's exec, attach and port-forward, as a WebSocket (RFC 6455) with the
/// subprotocol `v4.channel.k8s.io`: the first byte of each message names its channel. The server
/// listens in a network namespace, so a netcat that runs there is the connection.
final class WebSocketStream implements AutoCloseable {
  static final int STDIN = 0;
  static final int STDOUT = 1;
  static final int STDERR = 2;
  static final int ERROR = 3;
  static final int RESIZE = 4;

  private static final int BINARY = 2;
  private static final int CLOSE = 8;

  private final Process netcat;
  private final DataInputStream in;
  private final OutputStream out;
  private final Map<Integer, ByteArrayOutputStream> channels = new TreeMap<>();

  /// @param url such as `http://127.0.0.1:4000/exec/token`
  WebSocketStream(Containerd containerd, String url) throws IOException {
    String[] parts = url.replace("http://", "").split("[:/]", 3);
    netcat =
        new ProcessBuilder(containerd.inside("busybox", "nc", parts[0], parts[1]).words()).start();
    in = new DataInputStream(netcat.getInputStream());
    out = netcat.getOutputStream();
    out.write(
        """
        GET /%s HTTP/1.1\r
        Host: localhost\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Protocol: v4.channel.k8s.io\r
        \r
        """
            .formatted(parts[2])
            .getBytes(StandardCharsets.US_ASCII));
    out.flush();
    String head = head();
    if (!head.startsWith("HTTP/1.1 101")) throw new IOException(url + ": " + head);
  }

  private String head() throws IOException {
    StringBuilder head = new StringBuilder();
    while (!head.toString().endsWith("\r\n\r\n")) {
      int next = in.read();
      if (next < 0) return head.toString();
      head.append((char) next);
    }
    return head.toString();
  }

  void send(int channel, String text) throws IOException {
    byte[] data = text.getBytes(StandardCharsets.UTF_8);
    byte[] payload = new byte[data.length + 1];
    payload[0] = (byte) channel;
    System.arraycopy(data, 0, payload, 1, data.length);
    frame(BINARY, payload);
  }

  /// A client's frames are masked; a mask of zeros leaves them as they are.
  private void frame(int opcode, byte[] payload) throws IOException {
    if (payload.length > 125) throw new IllegalArgumentException("short messages only");
    out.write(0x80 | opcode);
    out.write(0x80 | payload.length);
    out.write(new byte[4]);
    out.write(payload);
    out.flush();
  }

  /// Reads until a channel has said the text, or to the end.
  String until(int channel, String text) throws IOException {
    while (!said(channel).contains(text) && receive()) {}
    return said(channel);
  }

  /// Reads to the end of the stream.
  String toEnd(int channel) throws IOException {
    while (receive()) {}
    return said(channel);
  }

  String said(int channel) {
    ByteArrayOutputStream bytes = channels.get(channel);
    return bytes == null ? "" : bytes.toString(StandardCharsets.UTF_8);
  }

  private boolean receive() throws IOException {
    int first = in.read();
    if (first < 0 || (first & 0xf) == CLOSE) return false;
    long length = in.readUnsignedByte() & 0x7f;
    if (length == 126) length = in.readUnsignedShort();
    else if (length == 127) length = in.readLong();
    byte[] payload = in.readNBytes((int) length);
    if (payload.length > 0)
      channels
          .computeIfAbsent((int) payload[0], c -> new ByteArrayOutputStream())
          .write(payload, 1, payload.length - 1);
    return true;
  }

  @Override
  public void close() {
    netcat.destroyForcibly();
  }
}
