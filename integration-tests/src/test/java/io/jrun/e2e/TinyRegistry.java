package io.jrun.e2e;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.regex.Pattern;

/// A registry in memory, on loopback, that can break off uploads and ask for a password.
final class TinyRegistry implements AutoCloseable {
  private static final int LARGE = 1000;

  final ConcurrentLinkedQueue<String> requests = new ConcurrentLinkedQueue<>();
  final AtomicInteger breaks = new AtomicInteger();
  final Map<String, byte[]> blobs = new ConcurrentHashMap<>();

  /// Is told of each request, and of the middle of each larger content, by numbers from 1 on.
  volatile IntConsumer moments = number -> {};

  private final AtomicInteger moment = new AtomicInteger();
  private final Map<String, String> types = new ConcurrentHashMap<>();
  private final Map<String, byte[]> manifests = new ConcurrentHashMap<>();
  private final Map<String, ByteArrayOutputStream> uploads = new ConcurrentHashMap<>();
  private final AtomicInteger serial = new AtomicInteger();
  private final HttpServer server;
  private final String password;

  /// @param password `user:password`; empty for none
  TinyRegistry(String password) throws IOException {
    this.password = password;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", this::serve);
    server.start();
  }

  String host() {
    return "localhost:" + server.getAddress().getPort();
  }

  private void serve(HttpExchange e) throws IOException {
    String method = e.getRequestMethod();
    String path = e.getRequestURI().getPath();
    String range = e.getRequestHeaders().getFirst("Content-Range");
    requests.add(method + " " + path + (range == null ? "" : " " + range));
    moments.accept(moment.incrementAndGet());
    try (e) {
      if (!password.isEmpty() && !isKnown(e)) {
        e.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"tiny\"");
        answer(e, 401, new byte[0]);
      } else if (path.contains("/manifests/")) {
        manifest(e, method, path.substring(path.lastIndexOf('/') + 1));
      } else if (path.contains("/uploads/")) {
        upload(e, method, path.substring(path.lastIndexOf('/') + 1));
      } else {
        byte[] blob = blobs.get(path.substring(path.lastIndexOf('/') + 1));
        answer(e, blob == null ? 404 : 200, blob == null ? new byte[0] : blob);
      }
    }
  }

  /// Counts moments from 1 on again.
  void restart() {
    moment.set(0);
  }

  /// Whether all that its images consist of is there.
  boolean isWhole() {
    Pattern digest = Pattern.compile("sha256:[0-9a-f]{64}");
    return manifests.values().stream()
        .flatMap(m -> digest.matcher(new String(m, StandardCharsets.UTF_8)).results())
        .allMatch(d -> blobs.containsKey(d.group()) || manifests.containsKey(d.group()));
  }

  boolean hasImages() {
    return !manifests.isEmpty();
  }

  private boolean isKnown(HttpExchange e) {
    String sent = e.getRequestHeaders().getFirst("Authorization");
    byte[] wanted = password.getBytes(StandardCharsets.UTF_8);
    return ("Basic " + Base64.getEncoder().encodeToString(wanted)).equals(sent);
  }

  private void manifest(HttpExchange e, String method, String reference) throws IOException {
    if (method.equals("PUT")) {
      byte[] body = e.getRequestBody().readAllBytes();
      manifests.put(reference, body);
      types.put(digest(body), e.getRequestHeaders().getFirst("Content-Type"));
      manifests.put(digest(body), body);
      answer(e, 201, new byte[0]);
      return;
    }
    byte[] found = manifests.get(reference);
    if (found != null) {
      e.getResponseHeaders().add("Content-Type", types.get(digest(found)));
    }
    answer(e, found == null ? 404 : 200, found == null ? new byte[0] : found);
  }

  private void upload(HttpExchange e, String method, String id) throws IOException {
    if (method.equals("POST")) {
      String made = "u" + serial.incrementAndGet();
      uploads.put(made, new ByteArrayOutputStream());
      e.getResponseHeaders().add("Location", e.getRequestURI().getPath() + made);
      answer(e, 202, new byte[0]);
      return;
    }
    ByteArrayOutputStream upload = uploads.get(id);
    if (upload == null) {
      answer(e, 404, new byte[0]);
      return;
    }
    e.getResponseHeaders().add("Location", e.getRequestURI().getPath());
    if (method.equals("GET")) {
      e.getResponseHeaders().add("Range", "0-" + Math.max(0, upload.size() - 1));
      answer(e, 204, new byte[0]);
    } else if (method.equals("PATCH")) {
      long size = Long.parseLong(e.getRequestHeaders().getFirst("Content-Length"));
      String from = e.getRequestHeaders().getFirst("Content-Range");
      if (Long.parseLong(from.substring(0, from.indexOf('-'))) != upload.size()) {
        answer(e, 416, new byte[0]);
        return;
      }
      boolean isBroken = size > LARGE && breaks.getAndDecrement() > 0;
      InputStream body = e.getRequestBody();
      upload.write(body.readNBytes((int) size / 2));
      if (size > LARGE) moments.accept(moment.incrementAndGet());
      if (!isBroken) upload.write(body.readNBytes((int) (size - size / 2)));
      if (isBroken) throw new IOException("breaks off"); // ends the connection
      answer(e, 202, new byte[0]);
    } else {
      upload.write(e.getRequestBody().readAllBytes());
      String wanted = e.getRequestURI().getQuery().replaceAll(".*digest=", "");
      byte[] all = upload.toByteArray();
      boolean isRight = digest(all).equals(wanted);
      if (isRight) blobs.put(wanted, all);
      answer(e, isRight ? 201 : 400, new byte[0]);
    }
  }

  static String digest(byte[] bytes) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return "sha256:" + HexFormat.of().formatHex(digest.digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private void answer(HttpExchange e, int status, byte[] body) throws IOException {
    boolean head = e.getRequestMethod().equals("HEAD");
    if (head) e.getResponseHeaders().add("Content-Length", Integer.toString(body.length));
    e.sendResponseHeaders(status, head || body.length == 0 ? -1 : body.length);
    if (head || body.length == 0) return;
    e.getResponseBody().write(body, 0, body.length / 2);
    if (body.length > LARGE) {
      e.getResponseBody().flush();
      moments.accept(moment.incrementAndGet());
    }
    e.getResponseBody().write(body, body.length / 2, body.length - body.length / 2);
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
