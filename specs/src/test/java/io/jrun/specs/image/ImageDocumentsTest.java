package io.jrun.specs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageDocumentsTest {
  private static final String D1 = "sha256:" + "a1".repeat(32);
  private static final String D2 = "sha256:" + "b2".repeat(32);

  private static byte[] bytes(String json) {
    return json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void manifestsSurviveARoundTripWithWhatIsUnknown() {
    byte[] json =
        bytes(
            "{'schemaVersion':2,'mediaType':'"
                + MediaType.MANIFEST
                + "','config':{'mediaType':'"
                + MediaType.CONFIG
                + "','digest':'"
                + D1
                + "','size':7,'data':'e30='},'layers':[{'mediaType':'x','digest':'"
                + D2
                + "','size':0}],'annotations':{'b':'1','a':''},'future':[1,{}]}");
    Manifest manifest = Manifest.read("manifest", json);
    assertThat(manifest.config().digest().hex()).isEqualTo("a1".repeat(32));
    assertThat(manifest.layers()).hasSize(1);
    assertThat(manifest.toJson()).isEqualTo(Json.parse(json));
  }

  @Test
  void indexesAndConfigsSurviveARoundTrip() {
    byte[] index =
        bytes(
            "{'schemaVersion':2,'manifests':[{'mediaType':'m','digest':'"
                + D1
                + "','size':1,'platform':{'architecture':'arm','os':'linux','variant':'v7'}}]}");
    Index read = Index.read("index.json", index);
    assertThat(read.manifests().getFirst().platform()).isNotNull();
    assertThat(read.toJson()).isEqualTo(Json.parse(index));
    byte[] config =
        bytes(
            "{'architecture':'amd64','os':'linux','config':{'User':'a:b','Env':['A=1'],"
                + "'Entrypoint':['/e'],'Cmd':['c'],'Volumes':{'/v':{}},'ExposedPorts':{'80/tcp':{}},"
                + "'WorkingDir':'/w','Labels':{'l':'x'},'StopSignal':'SIGINT','Shell':['sh']},"
                + "'rootfs':{'type':'layers','diff_ids':['"
                + D1
                + "']},'history':[{'created_by':'x','empty_layer':true}],'docker_version':'1'}");
    ImageConfig image = ImageConfig.read("config", config);
    assertThat(image.config().entrypoint()).containsExactly("/e");
    assertThat(image.config().volumes()).containsExactly("/v");
    assertThat(image.diffIds()).extracting(Digest::text).containsExactly(D1);
    assertThat(image.toJson()).isEqualTo(Json.parse(config));
  }

  @Test
  void allThatIsWrongIsToldAtOnce() {
    byte[] json =
        bytes(
            "{'schemaVersion':1,'config':{'mediaType':'x','digest':'md5:00','size':-1},"
                + "'layers':[{'digest':'sha256:zz','size':'1'}]}");
    assertThatThrownBy(() -> Manifest.read("manifest", json))
        .isInstanceOfSatisfying(
            SpecException.class,
            e ->
                assertThat(e.problems().stream().map(p -> p.pointer()))
                    .contains(
                        "/schemaVersion",
                        "/config/digest",
                        "/config/size",
                        "/layers/0/mediaType",
                        "/layers/0/digest",
                        "/layers/0/size"));
  }

  @Test
  void digestsAreOfKnownAlgorithmsAndLengths() {
    assertThat(Digest.parse(D1)).isPresent();
    assertThat(Digest.parse("sha512:" + "0f".repeat(64))).isPresent();
    for (String wrong :
        List.of(
            "", "sha256:", "sha256:" + "A1".repeat(32), "sha256:../../x", "md5:" + "0".repeat(32)))
      assertThat(Digest.parse(wrong)).as(wrong).isEmpty();
  }

  @Test
  void theManifestOfDockerSaveIsAnArray() {
    List<DockerManifest> all =
        DockerManifest.readAll(
            bytes("[{'Config':'c.json','RepoTags':['a:1','b:2'],'Layers':['x/layer.tar']}]"));
    assertThat(all).hasSize(1);
    assertThat(all.getFirst().repoTags()).containsExactly("a:1", "b:2");
    assertThatThrownBy(() -> DockerManifest.readAll(bytes("[{'Layers':1}]")))
        .isInstanceOf(SpecException.class);
  }
}
