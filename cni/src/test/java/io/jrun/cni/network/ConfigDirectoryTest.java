package io.jrun.cni.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.cni.PluginConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigDirectoryTest {
  @TempDir private Path temp;

  private void file(String name, String content) throws IOException {
    Files.createDirectories(temp.resolve(name).getParent());
    Files.writeString(temp.resolve(name), content);
  }

  private static String list(String name, String type) {
    return "{\"name\":\"%s\",\"plugins\":[{\"type\":\"%s\"}]}".formatted(name, type);
  }

  private static String single(String name, String type) {
    return "{\"name\":\"%s\",\"type\":\"%s\"}".formatted(name, type);
  }

  private String type(String name) {
    return new ConfigDirectory(temp).load(name).plugins().getFirst().type();
  }

  @Test
  void listsComeFirstThenTheOrderOfFileNames() throws IOException {
    file("10-a.conf", single("a", "conf10"));
    file("20-a.conflist", list("a", "list20"));
    file("30-a.conflist", list("a", "list30"));
    file("05-b.json", single("b", "json05"));
    file("10-b.conf", single("b", "conf10"));
    file("00-ignored.txt", "no JSON");
    assertThat(type("a")).isEqualTo("list20");
    assertThat(type("b")).isEqualTo("json05");
    assertThat(new ConfigDirectory(temp).all(new LinkedHashMap<>())).containsOnlyKeys("a", "b");
  }

  @Test
  void aDamagedFileBeforeTheNetworkIsAnErrorAndAfterItIsNot() throws IOException {
    file("10-a.conflist", list("a", "x"));
    file("20-bad.conflist", "{");
    assertThat(type("a")).isEqualTo("x");
    file("05-bad.conflist", "{");
    assertThatThrownBy(() -> type("a")).hasMessageContaining("05-bad.conflist: is not JSON");
    Map<Path, String> refused = new LinkedHashMap<>();
    assertThat(new ConfigDirectory(temp).all(refused)).containsOnlyKeys("a");
    assertThat(refused).hasSize(2);
  }

  @Test
  void pluginsOfTheNetworksDirectoryAreAppended() throws IOException {
    file("a.conflist", "{\"name\":\"a\",\"plugins\":[{\"type\":\"x\"}]}");
    file(
        "b.conflist",
        "{\"name\":\"b\",\"loadOnlyInlinedPlugins\":true,\"plugins\":[{\"type\":\"x\"}]}");
    file("c.conflist", "{\"name\":\"c\"}");
    for (String name : new String[] {"a", "b", "c"}) {
      file(name + "/20.conf", "{\"type\":\"z\"}");
      file(name + "/10.conf", "{\"type\":\"y\"}");
    }
    ConfigDirectory directory = new ConfigDirectory(temp);
    assertThat(directory.load("a").plugins())
        .extracting(PluginConfig::type)
        .containsExactly("x", "y", "z");
    assertThat(directory.load("b").plugins()).extracting(PluginConfig::type).containsExactly("x");
    assertThat(directory.load("c").plugins())
        .extracting(PluginConfig::type)
        .containsExactly("y", "z");
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    assertThatThrownBy(() -> type("a")).hasMessage("no net configurations found in " + temp);
    file("a.conflist", list("a", "x"));
    assertThatThrownBy(() -> type("b"))
        .hasMessage("no net configuration with name \"b\" in " + temp);
    file("0.conflist", "{\"name\":\"c\"}");
    assertThatThrownBy(() -> type("a")).hasMessage(temp + "/0.conflist: no plugins");
  }
}
