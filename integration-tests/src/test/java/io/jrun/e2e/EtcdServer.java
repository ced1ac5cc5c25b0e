package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A real etcd on one node of a test's cluster; what it has stored outlives [#kill].
final class EtcdServer implements AutoCloseable {
  private static final int PORT = 2379;

  private final CniNode node;
  private final String url;
  private final List<String> tls;
  private @Nullable Process process;

  /// @param certificates the directory of ca.pem, server.pem and server-key.pem; null for none
  EtcdServer(CniNode node, String address, @Nullable Path certificates) throws IOException {
    this.node = node;
    this.url = (certificates == null ? "http" : "https") + "://" + address + ":" + PORT;
    this.tls =
        certificates == null
            ? List.of()
            : List.of(
                "--cert-file=" + certificates.resolve("server.pem"),
                "--key-file=" + certificates.resolve("server-key.pem"),
                "--trusted-ca-file=" + certificates.resolve("ca.pem"),
                "--client-cert-auth=true");
    start();
  }

  String url() {
    return url;
  }

  void start() throws IOException {
    String peer = "http://127.0.0.1:2380";
    List<String> words =
        new ArrayList<>(
            List.of(
                "etcd",
                "--name=one",
                "--data-dir=" + node.temp().resolve("etcd"),
                "--listen-client-urls=" + url + ",http://127.0.0.1:23790",
                "--advertise-client-urls=" + url,
                "--listen-peer-urls=" + peer,
                "--initial-advertise-peer-urls=" + peer,
                "--initial-cluster=one=" + peer));
    words.addAll(tls);
    Command command = node.inside(words.toArray(String[]::new));
    process =
        new ProcessBuilder(command.words())
            .redirectErrorStream(true)
            .redirectOutput(node.temp().resolve("etcd.log").toFile())
            .start();
    assertThat(EndToEnd.eventually(() -> ask("GET", "/health", "").contains("\"true\"")))
        .as(() -> log())
        .isTrue();
  }

  private String log() {
    try {
      return Files.readString(node.temp().resolve("etcd.log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  /// Asks etcd's HTTP gateway; empty when there is no answer.
  String ask(String method, String path, String json) {
    String script =
        """
        import sys, urllib.request
        r = urllib.request.Request(sys.argv[2], method=sys.argv[1], data=sys.argv[3].encode() or None)
        print(urllib.request.urlopen(r, timeout=5).read().decode())
        """;
    return node.inside("python3", "-c", script, method, "http://127.0.0.1:23790" + path, json)
        .run()
        .out();
  }

  /// The number of keys with a prefix.
  int count(String prefix) {
    byte[] end = prefix.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    end[end.length - 1]++;
    String json =
        "{\"key\":\"%s\",\"range_end\":\"%s\",\"count_only\":true}"
            .formatted(
                base64(prefix.getBytes(java.nio.charset.StandardCharsets.UTF_8)), base64(end));
    return Config.json(ask("POST", "/v3/kv/range", json)).at("/count").asInt(0);
  }

  private static String base64(byte[] bytes) {
    return java.util.Base64.getEncoder().encodeToString(bytes);
  }

  /// Forgets all history.
  void compact() {
    String answer = ask("POST", "/v3/kv/range", "{\"key\":\"" + base64(new byte[] {'x'}) + "\"}");
    String revision = Config.json(answer).at("/header/revision").asString();
    ask("POST", "/v3/kv/compaction", "{\"revision\":\"" + revision + "\",\"physical\":true}");
  }

  void kill() {
    Process running = process;
    process = null;
    if (running == null) return;
    running.destroyForcibly();
    try {
      running.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    kill();
  }
}
