package io.jrun.runtime.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigTextTest {
  private static final Mount ADDED =
      new Mount(
          "/etc/hosts",
          "bind",
          "/run/ü/hosts",
          List.of("bind", "ro"),
          List.of(),
          List.of(),
          Json.JsonObject.EMPTY);

  private final Configs configs = new Configs();

  private static String document(String mounts) {
    return "{ \"ociVersion\": \"1.0.2\",\n \"x\": [\"mounts\"],"
        + mounts
        + "\"root\": {\"path\": \"r\"} }\n";
  }

  private static Config withAdded(Config config) {
    List<Mount> mounts = new ArrayList<>(config.mounts());
    mounts.add(ADDED);
    return config.withMounts(mounts);
  }

  /// But for what was an empty list, which a config remembers until its text is written.
  private static void assertSame(byte[] text, Config config) {
    Config again = Config.read(text);
    assertThat(again.mounts()).isEqualTo(config.mounts());
    assertThat(again.root()).isEqualTo(config.root());
    assertThat(again.unknown().members().get("x"))
        .isEqualTo(config.unknown().members().get("x"))
        .isNotNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\"mounts\": [],",
        "\"mounts\": [ {\"destination\": \"/proc\", \"y\": \"ü\"} ],"
      })
  void theTextOfAConfigWithMoreMountsIsThatConfig(String mounts) {
    byte[] read = document(mounts).getBytes(UTF_8);
    Config asRead = Config.read(read);
    Config more = withAdded(asRead);
    assertSame(configs.text(more, asRead, read), more);
    // where they end is known now
    assertSame(configs.text(more, asRead, read), more);
    byte[] other = document("\"mounts\": [{\"destination\": \"/a\"}],").getBytes(UTF_8);
    Config otherRead = Config.read(other);
    assertSame(configs.text(withAdded(otherRead), otherRead, other), withAdded(otherRead));
  }

  @Test
  void whatWasReadStaysAsItWasWritten() {
    String text = document("\"mounts\": [ {\"destination\": \"/proc\"} ],");
    Config asRead = Config.read(text.getBytes(UTF_8));
    assertThat(new String(configs.text(withAdded(asRead), asRead, text.getBytes(UTF_8)), UTF_8))
        .startsWith(text.substring(0, text.indexOf(" ],")))
        .endsWith(text.substring(text.lastIndexOf("],")));
  }
}
