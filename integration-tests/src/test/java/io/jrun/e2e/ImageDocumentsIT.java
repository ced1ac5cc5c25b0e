package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Documents of images as other tools may write them: kept as they came, whatever is in them.
class ImageDocumentsIT extends ImageStoreTest {
  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final String INDEX = "application/vnd.oci.image.index.v1+json";

  private Path layout = Path.of("/");
  private String manifest = "";

  @BeforeEach
  void readTheManifest() throws IOException {
    layout = ImageLayout.make(temp).directory();
    String digest = Config.read(layout.resolve("index.json")).at("/manifests/0/digest").asString();
    manifest = Files.readString(blob(layout, digest));
  }

  private static Path blob(Path layout, String digest) {
    return layout.resolve("blobs").resolve(digest.replace(':', '/'));
  }

  /// Puts a document into the layout, and says its descriptor.
  private String put(String type, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    String digest = TinyRegistry.digest(bytes);
    Files.write(blob(layout, digest), bytes);
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
        .formatted(type, digest, bytes.length);
  }

  private static String indexOf(String... descriptors) {
    return "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}"
        .formatted(INDEX, String.join(",", descriptors));
  }

  private void indexIs(String... descriptors) throws IOException {
    Files.writeString(layout.resolve("index.json"), indexOf(descriptors));
  }

  @Test
  void unknownMembersStayAndSoDoesTheDigest() throws IOException {
    String descriptor = put(MANIFEST, manifest.replaceFirst("\\{", "{ \"x-new\" : [1, 2.50],"));
    String digest = Config.parse(descriptor).at("/digest").asString();
    indexIs(descriptor);
    image("load", "--name", "app", layout.toString()).succeeds();
    assertThat(image("list", "-q").succeeds().text()).isEqualTo(digest);
    assertThat(blob(Path.of(store()), digest)).hasSameBinaryContentAs(blob(layout, digest));
  }

  @Test
  void anImageIsFoundInANestedIndex() throws IOException {
    String inner = put(INDEX, indexOf(put(MANIFEST, manifest)));
    indexIs(put(INDEX, indexOf(inner)));
    image("load", "--name", "app", layout.toString()).succeeds();
    image("verify").succeeds();
    assertThat(runImage(id).succeeds().lines()).containsExactly("1000", "b", "/d");
  }

  private String config() throws IOException {
    return Files.readString(blob(layout, Config.parse(manifest).at("/config/digest").asString()));
  }

  /// The image with another config.
  private void configIs(String text) throws IOException {
    Config changed = Config.parse(manifest);
    Config descriptor = Config.parse(put(changed.at("/config/mediaType").asString(), text));
    indexIs(put(MANIFEST, changed.set("/config", descriptor.text()).text()));
  }

  private static List<String> diffIds(String config) {
    return Config.parse(config)
        .at("/rootfs/diff_ids")
        .valueStream()
        .map(JsonNode::asString)
        .toList();
  }

  /// What is in a layer must be what the config says, however its blob is compressed.
  @Test
  void aLayerWithAnotherDiffIdIsRefused() throws IOException {
    String right = diffIds(config()).getLast();
    String wrong = TinyRegistry.digest("no such layer".getBytes(StandardCharsets.UTF_8));
    configIs(config().replace(right, wrong));
    image("load", "--name", "app", layout.toString()).succeeds();
    image("verify").failsInOneLine(wrong);
    for (String snapshotter : List.of("overlayfs", "copy")) {
      runImage("--snapshotter", snapshotter, id).failsInOneLine(wrong);
      assertThat(temp.resolve("store/bundles")).isEmptyDirectory();
    }
    runtime("rootfs", "unpack", layout.toString(), temp + "/to").failsInOneLine(wrong);
    assertThat(temp.resolve("to")).doesNotExist();
  }

  @Test
  void aConfigWithFewerDiffIdsThanLayersIsRefused() throws IOException {
    Config fewer = Config.parse(config());
    fewer.set("/rootfs/diff_ids", "['%s']".formatted(diffIds(config()).getFirst()));
    configIs(fewer.text());
    runtime("rootfs", "unpack", layout.toString(), temp + "/to").failsInOneLine("diff_ids");
    assertThat(temp.resolve("to")).doesNotExist();
  }

  /// So images that begin alike share what is unpacked, and others that only have a layer in common
  /// do not.
  @Test
  void layersAreUnpackedUnderTheirChainIds() throws IOException {
    image("load", "--name", "app", layout.toString()).succeeds();
    runImage("--snapshotter", "overlayfs", id).succeeds();
    List<String> chainIds = new ArrayList<>();
    for (String diffId : diffIds(config())) {
      String chain = chainIds.isEmpty() ? diffId : chainIds.getLast() + " " + diffId;
      chainIds.add(
          chainIds.isEmpty()
              ? diffId
              : TinyRegistry.digest(chain.getBytes(StandardCharsets.UTF_8)));
    }
    try (var snapshots = Files.list(temp.resolve("store/snapshots"))) {
      assertThat(snapshots.map(path -> path.getFileName().toString().substring(0, 32)))
          .containsExactlyInAnyOrderElementsOf(
              chainIds.stream().map(chain -> chain.substring(7, 39)).toList());
    }
  }

  @Test
  void theStoreIsALayoutThatOthersRead() throws IOException {
    image("load", "--name", "app", layout.toString()).succeeds();
    assertThat(
            Command.of("skopeo", "inspect", "--raw", "oci:" + store() + ":app:latest")
                .run()
                .succeeds()
                .out())
        .isEqualTo(manifest);
  }

  @Test
  void anArtifactIsKeptAndNotRun() throws IOException {
    String config = put("application/vnd.oci.empty.v1+json", "{}");
    String layer = put("text/plain", "an artifact");
    indexIs(
        put(
            MANIFEST,
            "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"artifactType\":\"text/plain\",\"config\":%s,\"layers\":[%s]}"
                .formatted(MANIFEST, config, layer)));
    image("load", "--name", "thing", layout.toString()).succeeds();
    image("verify").succeeds();
    assertThat(image("list").succeeds().out()).contains("thing");
    runtime("run", "--image", "thing", "--store", store(), id)
        .failsInOneLine("not an image that can run", "oci.empty");
  }
}
