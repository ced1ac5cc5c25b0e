package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `image pull` and `push`, with Debian's docker-registry and with one that fails on purpose, on
/// loopback.
@JrunOnly
class RegistryIT extends EndToEnd {
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private Outcome image(String command, String store, String... arguments) {
    return imageCommand(command, store, arguments).run();
  }

  private Command imageCommand(String command, String store, String... arguments) {
    List<String> words = new ArrayList<>(List.of("image", command, "--store", temp + "/" + store));
    words.addAll(List.of(arguments));
    return command(words.toArray(String[]::new))
        .with("DOCKER_CONFIG", temp.resolve("docker").toString());
  }

  private void credentials(String host, String user, String password) throws IOException {
    String auth =
        Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    Files.createDirectories(temp.resolve("docker"));
    Files.writeString(
        temp.resolve("docker/config.json"),
        "{\"auths\":{\"" + host + "\":{\"auth\":\"" + auth + "\"}}}");
  }

  private static void awaitPort(int port) {
    assertThat(
            eventually(() -> {
              try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
              } catch (IOException e) {
                return false;
              }
            }))
        .as("the registry listens")
        .isTrue();
  }

  @Test
  void imagesGoToARegistryWithTlsAndPasswordsAndBack() throws Exception {
    Machine.assumeInstalled("docker-registry", "htpasswd", "openssl");
    ImageLayout layout = ImageLayout.make(temp);
    int port = freePort();
    String host = "localhost:" + port;
    Path directory = Files.createDirectory(temp.resolve("registry"));
    Command.of(
            "bash",
            "-c",
            "cd $0; openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2"
                + " -subj /CN=localhost -addext subjectAltName=DNS:localhost; htpasswd -Bbn joe"
                + " secret > htpasswd",
            directory.toString())
        .run()
        .succeeds();
    Files.writeString(
        directory.resolve("config.yml"),
        """
        version: 0.1
        log: {level: error}
        storage: {filesystem: {rootdirectory: DIR/data}}
        http: {addr: '127.0.0.1:PORT', tls: {certificate: DIR/cert.pem, key: DIR/key.pem}}
        auth: {htpasswd: {realm: test, path: DIR/htpasswd}}
        """
            .replace("DIR", directory.toString())
            .replace("PORT", Integer.toString(port)));
    Process registry =
        new ProcessBuilder("docker-registry", "serve", directory + "/config.yml")
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log").toFile())
            .start();
    try {
      awaitPort(port);
      String ca = directory + "/cert.pem";
      String name = host + "/team/app:1";
      image("load", "a", "--name", "app", layout.directory().toString()).succeeds();
      image("push", "a", "-q", "--ca", ca, "app", name).failsInOneLine("credentials are needed");
      credentials(host, "joe", "wrong");
      image("push", "a", "--ca", ca, "app", name).fails();
      credentials(host, "joe", "secret");
      image("push", "a", "app", name).fails(); // nobody vouches for its certificate
      image("push", "a", "--ca", ca, "app", name).succeeds();
      assertThat(image("push", "a", "--ca", ca, "app", name).succeeds().err())
          .contains("is there already");
      String digest = image("pull", "b", "--ca", ca, name).succeeds().text();
      assertThat(image("list", "b", "-q").text()).isEqualTo(digest);
      image("verify", "b").succeeds();
      image("pull", "b", "--ca", ca, host + "/team/app@" + digest).succeeds();
      assertThat(image("pull", "b", "--ca", ca, host + "/team/app:none").fails().err())
          .contains("MANIFEST_UNKNOWN", "manifest unknown");
      Path to = temp.resolve("bundle-of-b");
      runtime("bundle", "create", "--store", temp + "/b", "--image", name, to.toString())
          .succeeds();
      assertThat(to.resolve("rootfs/d/three")).hasContent("new");
      Command.of(
              "skopeo",
              "inspect",
              "--cert-dir",
              directory.toString(),
              "--tls-verify=false",
              "--creds",
              "joe:secret",
              "docker://" + name)
          .run()
          .succeeds();
    } finally {
      registry.destroyForcibly().waitFor();
    }
    image("pull", "b", host + "/team/app:1").fails();
  }

  /// A registry that wants a token, sends blobs elsewhere, and breaks off.
  private static final class Awkward implements AutoCloseable {
    final HttpServer server;
    final HttpServer elsewhere;
    final Path layout;
    final AtomicInteger breaks = new AtomicInteger();
    final ConcurrentLinkedQueue<String> ranges = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<String> problems = new ConcurrentLinkedQueue<>();

    Awkward(Path layout, int breaks) throws IOException {
      this.layout = layout;
      this.breaks.set(breaks);
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      elsewhere = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext("/", this::registry);
      server.createContext("/token", this::token);
      elsewhere.createContext("/", this::blob);
      server.start();
      elsewhere.start();
    }

    String host() {
      return "localhost:" + server.getAddress().getPort();
    }

    private void token(HttpExchange e) throws IOException {
      String query = e.getRequestURI().getQuery();
      if (!query.contains("service=test") || !query.contains("scope=repository:r/i:pull")) {
        problems.add(query);
      }
      answer(e, 200, "{\"token\":\"let-me-in\"}".getBytes(StandardCharsets.UTF_8));
    }

    private void registry(HttpExchange e) throws IOException {
      if (!"Bearer let-me-in".equals(e.getRequestHeaders().getFirst("Authorization"))) {
        e.getResponseHeaders()
            .add(
                "WWW-Authenticate",
                "Bearer realm=\"http://" + host() + "/token\",service=\"test\"");
        answer(e, 401, new byte[0]);
        return;
      }
      String path = e.getRequestURI().getPath();
      if (path.contains("/manifests/")) {
        Config index = Config.read(layout.resolve("index.json"));
        String digest = index.at("/manifests/0/digest").asString();
        e.getResponseHeaders().add("Content-Type", "application/vnd.oci.image.manifest.v1+json");
        answer(
            e, 200, Files.readAllBytes(layout.resolve("blobs").resolve(digest.replace(':', '/'))));
      } else {
        String digest = path.substring(path.lastIndexOf('/') + 1);
        e.getResponseHeaders()
            .add("Location", "http://localhost:" + elsewhere.getAddress().getPort() + "/" + digest);
        answer(e, 307, new byte[0]);
      }
    }

    private void blob(HttpExchange e) throws IOException {
      if (e.getRequestHeaders().containsKey("Authorization")) {
        problems.add("the token went to another host");
      }
      String digest = e.getRequestURI().getPath().substring(1);
      byte[] all = Files.readAllBytes(layout.resolve("blobs").resolve(digest.replace(':', '/')));
      String range = e.getRequestHeaders().getFirst("Range");
      byte[] rest = all;
      if (range != null) {
        ranges.add(range);
        rest = Arrays.copyOfRange(all, Integer.parseInt(range.replaceAll("\\D", "")), all.length);
      }
      e.sendResponseHeaders(range == null ? 200 : 206, rest.length);
      boolean breaks = all.length > 5000 && this.breaks.getAndDecrement() > 0;
      try {
        e.getResponseBody().write(rest, 0, breaks ? rest.length / 2 : rest.length);
        e.getResponseBody().flush();
      } finally {
        e.close(); // ends the connection where bytes are missing
      }
    }

    private static void answer(HttpExchange e, int status, byte[] body) throws IOException {
      e.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
      try (var out = e.getResponseBody()) {
        out.write(body);
      }
      e.close();
    }

    @Override
    public void close() {
      server.stop(0);
      elsewhere.stop(0);
    }
  }

  @Test
  void aBrokenTransferGoesOnWhereItStoppedAndTokensStayHome() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    try (Awkward registry = new Awkward(layout.directory(), 2)) {
      image("pull", "a", "--plain-http", registry.host() + "/r/i:1").succeeds();
      assertThat(registry.problems).isEmpty();
      assertThat(registry.ranges).isNotEmpty();
      image("verify", "a").succeeds();
    }
  }

  /// The engine lives on, and would wait for a slow registry.
  @ParameterizedTest
  @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"})
  void thePullOfACallerWhoHasEndedDoesNotGoOn(String answer) throws IOException {
    try (ServerSocket registry = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String name = "localhost:" + registry.getLocalPort() + "/r/i:1";
      Command.Running pull = imageCommand("pull", "a", "--plain-http", name).start();
      try (Socket connection = registry.accept()) {
        connection.setSoTimeout(Command.TIMEOUT_SECONDS * 1000);
        InputStream request = connection.getInputStream();
        String end = "";
        while (!end.endsWith("\r\n\r\n")) end += (char) request.read();
        connection.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
        pull.process().destroy();
        assertThat(request.read()).as("the end of the connection").isEqualTo(-1);
      }
      assertThat(pull.finish().status()).isEqualTo(143);
    }
  }

  @Test
  void whatAnEarlierPullLeftIsUsed() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    try (Awkward registry = new Awkward(layout.directory(), 1000)) {
      image("pull", "a", "--plain-http", registry.host() + "/r/i:1").fails();
      registry.breaks.set(0);
      registry.ranges.clear();
      image("pull", "a", "--plain-http", registry.host() + "/r/i:1").succeeds();
      assertThat(registry.ranges).isNotEmpty();
      image("verify", "a").succeeds();
    }
  }

  @Test
  void wrongContentIsRefusedAndMirrorsAreAskedFirst() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    Path good = temp.resolve("good");
    Command.of("cp", "-a", layout.directory().toString(), good.toString()).run().succeeds();
    try (var blobs = Files.list(layout.directory().resolve("blobs/sha256"))) {
      Path layer =
          blobs.max(java.util.Comparator.comparingLong(p -> p.toFile().length())).orElseThrow();
      byte[] content = Files.readAllBytes(layer);
      content[100] ^= 1;
      Files.write(layer, content);
    }
    try (Awkward bad = new Awkward(layout.directory(), 0);
        Awkward fine = new Awkward(good, 0)) {
      assertThat(image("pull", "a", "--plain-http", bad.host() + "/r/i:1").fails().err())
          .contains("has the digest");
      assertThat(image("list", "a", "-q").text()).isEmpty();
      String other = "sha256:" + "0".repeat(64);
      assertThat(image("pull", "a", "--plain-http", fine.host() + "/r/i@" + other).fails().err())
          .as("a manifest that is not the one asked for")
          .contains("has the digest", other);
      image("pull", "a", "--plain-http", "--mirror", fine.host(), "localhost:1/r/i:1").succeeds();
      image("verify", "a").succeeds();
    }
  }
}
