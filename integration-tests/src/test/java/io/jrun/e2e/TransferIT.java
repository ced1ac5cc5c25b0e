package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Pushing and pulling: broken connections, helpers for credentials, platforms, what a terminal
/// shows.
@JrunOnly
class TransferIT extends EndToEnd {
  private Command image(String command, String store, String... arguments) {
    List<String> words = new ArrayList<>(List.of("image", command, "--store", temp + "/" + store));
    words.addAll(List.of(arguments));
    return command(words.toArray(String[]::new))
        .with("DOCKER_CONFIG", temp.resolve("docker").toString());
  }

  private void loadApp() {
    ImageLayout layout = ImageLayout.make(temp);
    image("load", "a", "--name", "app", layout.directory().toString()).run().succeeds();
  }

  @Test
  void aPushThatBreaksGoesOnInTheMiddleOfTheBlob() throws IOException {
    loadApp();
    try (TinyRegistry registry = new TinyRegistry("")) {
      registry.breaks.set(2);
      String name = registry.host() + "/r/app:1";
      image("push", "a", "--plain-http", "app", name).run().succeeds();
      assertThat(registry.requests)
          .filteredOn(request -> request.matches("PATCH .* [1-9][0-9]*-[0-9]+"))
          .isNotEmpty();
      image("pull", "b", "--plain-http", name).run().succeeds();
      image("verify", "b").run().succeeds();
      registry.blobs.clear();
      registry.breaks.set(1000);
      assertThat(image("push", "a", "--plain-http", "app", name).run().fails().err())
          .contains("failed");
    }
  }

  @Test
  void credentialsComeFromDockersHelpers() throws IOException {
    loadApp();
    Path bin = Files.createDirectory(temp.resolve("bin"));
    Path helper = bin.resolve("docker-credential-e2e");
    Files.writeString(
        helper,
        "#!/bin/sh\n[ \"$1\" = get ] || exit 1\nread host\necho \"$host\" >> "
            + temp
            + "/asked\n"
            + "echo '{\"ServerURL\":\"x\",\"Username\":\"joe\",\"Secret\":\"from-helper\"}'\n");
    helper.toFile().setExecutable(true);
    Files.createDirectories(temp.resolve("docker"));
    try (TinyRegistry registry = new TinyRegistry("joe:from-helper")) {
      String name = registry.host() + "/r/app:1";
      Command push = image("push", "a", "--plain-http", "app", name);
      push.run().fails();
      for (String config :
          List.of(
              "{\"credHelpers\":{\"" + registry.host() + "\":\"e2e\"}}",
              "{\"credsStore\":\"e2e\"}")) {
        Files.writeString(temp.resolve("docker/config.json"), config);
        push.with("PATH", bin + ":" + System.getenv("PATH")).run().succeeds();
      }
      assertThat(Files.readAllLines(temp.resolve("asked")))
          .hasSize(2)
          .containsOnly(registry.host());
    }
  }

  @Test
  void anIndexHasAManifestForEachPlatform() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    Command.of(
            "bash",
            "-c",
            "cd $0; umoci config --image layout:a --tag arm --architecture arm64 --config.label"
                + " on=arm",
            temp.toString())
        .run()
        .succeeds();
    Path directory = layout.directory();
    Config listed = Config.read(directory.resolve("index.json"));
    StringBuilder manifests = new StringBuilder();
    for (int i = 0; i < 2; i++) {
      String tag =
          listed
              .at("/manifests/" + i + "/annotations/org.opencontainers.image.ref.name")
              .asString();
      manifests
          .append(i == 0 ? "" : ",")
          .append("{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"")
          .append(listed.at("/manifests/" + i + "/digest").asString())
          .append("\",\"size\":")
          .append(listed.at("/manifests/" + i + "/size").asInt())
          .append(",\"platform\":{\"os\":\"linux\",\"architecture\":\"")
          .append(tag.equals("arm") ? "arm64\",\"variant\":\"v8" : "amd64")
          .append("\"}}");
    }
    String type = "application/vnd.oci.image.index.v1+json";
    byte[] index =
        ("{\"schemaVersion\":2,\"mediaType\":\"" + type + "\",\"manifests\":[" + manifests + "]}")
            .getBytes(StandardCharsets.UTF_8);
    String digest = TinyRegistry.digest(index);
    Files.write(directory.resolve("blobs").resolve(digest.replace(':', '/')), index);
    Files.writeString(
        directory.resolve("index.json"),
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}]}"
            .formatted(type, digest, index.length));
    image("load", "a", "--name", "multi", directory.toString()).run().succeeds();
    assertThat(image("inspect", "a", "--platform", "linux/amd64", "multi").run().succeeds().out())
        .contains("linux/amd64")
        .doesNotContain("\"on\"");
    for (String platform : List.of("linux/arm64", "linux/arm64/v8")) {
      assertThat(image("inspect", "a", "--platform", platform, "multi").run().succeeds().out())
          .contains("linux/arm64", "\"on\"");
    }
    image("inspect", "a", "--platform", "linux/arm64/v7", "multi")
        .run()
        .failsInOneLine("nothing for the platform linux/arm64/v7");
    image("inspect", "a", "--platform", "arm64", "multi").run().failsInOneLine("not a platform");
    runtime("rootfs", "unpack", "--platform", "linux/s390x", directory.toString(), temp + "/none")
        .failsInOneLine("linux/s390x");
    try (TinyRegistry registry = new TinyRegistry("")) {
      String name = registry.host() + "/r/multi:1";
      image("push", "a", "--plain-http", "multi", name).run().succeeds();
      List<String> sent =
          registry.requests.stream()
              .filter(request -> request.startsWith("PUT "))
              .map(request -> request.replaceFirst("PUT /v2/r/multi/", ""))
              .toList();
      assertThat(sent.getFirst()).startsWith("blobs/uploads/");
      assertThat(sent).filteredOn(request -> request.startsWith("manifests/sha256:")).hasSize(2);
      assertThat(sent.getLast()).as("the index comes last").isEqualTo("manifests/1");
      image("pull", "b", "--plain-http", "--platform", "linux/arm64", name).run().succeeds();
      assertThat(image("inspect", "b", "--platform", "linux/arm64", name).run().succeeds().out())
          .contains("\"on\"");
      image("verify", "b").run().succeeds();
      // what was not pulled is not there, and is said
      image("inspect", "b", "--platform", "linux/amd64", name).run().fails();
      image("pull", "b", "--plain-http", "--platform", "linux/amd64", name).run().succeeds();
      image("inspect", "b", "--platform", "linux/amd64", name).run().succeeds();
    }
  }

  /// Makes the first layer of `app` one that may not be given on.
  private String withForeignLayer(Path layout, List<String> urls) throws IOException {
    Config index = Config.read(layout.resolve("index.json"));
    String digest = index.at("/manifests/0/digest").asString();
    Path blobs = layout.resolve("blobs/sha256");
    String manifest = Files.readString(blobs.resolve(digest.substring("sha256:".length())));
    String type = "\"application/vnd.oci.image.layer.v1.tar+gzip\"";
    assertThat(manifest).contains(type);
    byte[] foreign =
        manifest
            .replaceFirst(
                Pattern.quote(type),
                "\"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip\",\"urls\":[\""
                    + String.join("\",\"", urls)
                    + "\"]")
            .getBytes(StandardCharsets.UTF_8);
    String named = TinyRegistry.digest(foreign);
    Files.write(blobs.resolve(named.substring("sha256:".length())), foreign);
    String listed = Files.readString(layout.resolve("index.json"));
    int size = index.at("/manifests/0/size").asInt();
    Files.writeString(
        layout.resolve("index.json"),
        listed
            .replace(digest, named)
            .replaceAll("\"size\": *" + size, "\"size\":" + foreign.length));
    return Config.parse(new String(foreign, StandardCharsets.UTF_8))
        .at("/layers/0/digest")
        .asString();
  }

  @Test
  void layersThatAreNotDistributableComeFromTheirUrlsAndAreNotPushed() throws IOException {
    Path layout = ImageLayout.make(temp).directory();
    Queue<String> asked = new ConcurrentLinkedQueue<>();
    Queue<String> told = new ConcurrentLinkedQueue<>();
    AtomicBoolean isThere = new AtomicBoolean(true);
    AtomicReference<byte[]> layer = new AtomicReference<>(new byte[0]);
    HttpServer elsewhere =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    elsewhere.createContext(
        "/",
        e -> {
          String path = e.getRequestURI().getPath();
          asked.add(path);
          if (e.getRequestHeaders().containsKey("Authorization")) told.add(path);
          byte[] bytes = Objects.requireNonNull(layer.get()).clone();
          if (path.equals("/damaged")) bytes[50] ^= 1;
          boolean has = isThere.get() && !path.equals("/missing");
          e.sendResponseHeaders(has ? 200 : 404, has ? bytes.length : -1);
          if (has) e.getResponseBody().write(bytes);
          e.close();
        });
    elsewhere.start();
    try (TinyRegistry registry = new TinyRegistry("joe:secret")) {
      String at = "http://localhost:" + elsewhere.getAddress().getPort();
      String digest =
          withForeignLayer(
              layout,
              List.of(
                  "ftp://x/y",
                  "http://a b/",
                  "http:///nowhere",
                  at + "/missing",
                  at + "/damaged",
                  at + "/good"));
      layer.set(Files.readAllBytes(layout.resolve("blobs").resolve(digest.replace(':', '/'))));
      Files.createDirectories(temp.resolve("docker"));
      Files.writeString(
          temp.resolve("docker/config.json"),
          "{\"auths\":{\"%s\":{\"username\":\"joe\",\"password\":\"secret\"}}}"
              .formatted(registry.host()));
      String name = registry.host() + "/r/foreign:1";
      image("load", "a", "--name", "app", layout.toString()).run().succeeds();
      assertThat(image("push", "a", "--plain-http", "app", name).run().succeeds().err())
          .contains("is not distributable, and not sent");
      assertThat(registry.blobs).isNotEmpty().doesNotContainKey(digest);

      image("pull", "b", "--plain-http", name).run().succeeds();
      assertThat(asked).containsExactly("/missing", "/damaged", "/good");
      assertThat(told).isEmpty();
      image("verify", "b").run().succeeds();

      isThere.set(false);
      image("pull", "c", "--plain-http", "-q", name)
          .run()
          .failsInOneLine(digest, "not distributable", "/good: status 404");
      assertThat(image("list", "c", "-q").run().succeeds().out()).isEmpty();
      image("push", "a", "--plain-http", "--allow-nondistributable-artifacts", "app", name)
          .run()
          .succeeds();
      image("pull", "c", "--plain-http", name).run().succeeds();
      image("verify", "c").run().succeeds();

      Files.delete(layout.resolve("blobs").resolve(digest.replace(':', '/')));
      image("load", "d", "--name", "app", layout.toString())
          .run()
          .failsInOneLine(digest, "not distributable");
    } finally {
      elsewhere.stop(0);
    }
  }

  @Test
  void aTerminalSeesBarsAndOthersPlainLines() throws IOException {
    loadApp();
    try (TinyRegistry registry = new TinyRegistry("")) {
      String name = registry.host() + "/r/app:1";
      Outcome plain = image("push", "a", "--plain-http", "app", name).run().succeeds();
      assertThat(plain.err()).doesNotContain("\033", "\r").contains(" bytes\n");
      String words = String.join(" ", image("pull", "b", "--plain-http", name).words());
      Outcome seen =
          Command.of("script", "-qec", "stty cols 100 2>/dev/null; " + words, "/dev/null")
              .run()
              .succeeds();
      assertThat(seen.out())
          .contains("\033[")
          .contains("] ")
          .contains(" MiB")
          .contains(" bytes\r\n");
      // the last thing drawn are lines without bars
      assertThat(seen.out().substring(seen.out().lastIndexOf("\033[J"))).doesNotContain("MiB");
      Outcome quiet =
          Command.of("script", "-qec", words.replace("image pull", "image pull -q"), "/dev/null")
              .run()
              .succeeds();
      assertThat(quiet.out()).doesNotContain("\033");
    }
  }
}
