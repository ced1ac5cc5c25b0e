package io.jrun.specs.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.SpecException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class ConfigFuzzTest {
  private static final long SEED = 20260101;
  private static final List<Json> VALUES =
      List.of(
          new Json.JsonNull(),
          Json.of(true),
          Json.of(false),
          Json.of(0),
          Json.of(-1),
          Json.of(Long.MIN_VALUE),
          Json.ofUnsigned(-1),
          new Json.JsonNumber("18446744073709551616"),
          new Json.JsonNumber("1e400"),
          new Json.JsonNumber("-0"),
          new Json.JsonNumber("1.5"),
          Json.of(""),
          Json.of("\0/~\ud800"),
          Json.JsonObject.EMPTY,
          new Json.JsonArray(List.of()),
          new Json.JsonArray(List.of(new Json.JsonNull())));

  @Test
  void mutatedBytesAreReadOrRefused() {
    byte[] original = text();
    for (long seed = SEED; seed < SEED + 3000; seed++) {
      Random random = new Random(seed);
      byte[] json = original.clone();
      for (int i = random.nextInt(4); i >= 0; i--) {
        json[random.nextInt(json.length)] = (byte) random.nextInt(256);
      }
      readOrRefuse(seed, json);
    }
  }

  @Test
  void mutatedTreesAreReadWithoutLossOrRefused() {
    Json original = Json.parse(text());
    for (long seed = SEED; seed < SEED + 5000; seed++) {
      Json mutated = mutated(original, new Random(seed));
      readOrRefuse(seed, mutated.toText("\t").getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void mutatedSamplesAreReadWithoutLossOrRefused() throws IOException {
    Json original = Json.parse(OciSamplesTest.trimmed("spec-example.json"));
    for (long seed = SEED; seed < SEED + 5000; seed++) {
      Json mutated = mutated(original, new Random(seed));
      readOrRefuse(seed, mutated.toText().getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void readOrRefuse(long seed, byte[] json) {
    try {
      Config config = Config.read(json);
      ConfigValidator.problems(config);
      ConfigValidator.warnings(config);
      assertThat(Config.read(config.toJson()).toJson())
          .as("seed " + seed)
          .isEqualTo(config.toJson());
      if (!new String(json, StandardCharsets.UTF_8).contains("-0")) {
        assertThat(config.toJson()).as("seed " + seed).isEqualTo(Json.parse(json));
      }
    } catch (SpecException refused) {
      assertThat(refused.problems()).as("seed " + seed).isNotEmpty();
    } catch (RuntimeException e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  private static byte[] text() {
    return DefaultConfig.create(false, 0, 0).toJson().toText("\t").getBytes(StandardCharsets.UTF_8);
  }

  /// Goes down at random and replaces what it ends at.
  private static Json mutated(Json value, Random random) {
    if (random.nextInt(8) == 0) {
      return VALUES.get(random.nextInt(VALUES.size()));
    }
    return switch (value) {
      case Json.JsonObject object when !object.isEmpty() -> {
        LinkedHashMap<String, Json> members = new LinkedHashMap<>(object.members());
        List<String> names = new ArrayList<>(members.keySet());
        String name = names.get(random.nextInt(names.size()));
        switch (random.nextInt(10)) {
          case 0 -> members.remove(name);
          case 1 -> members.put("x" + name, VALUES.get(random.nextInt(VALUES.size())));
          default -> members.put(name, mutated(members.getOrDefault(name, value), random));
        }
        yield new Json.JsonObject(members);
      }
      case Json.JsonArray array when !array.elements().isEmpty() -> {
        List<Json> elements = new ArrayList<>(array.elements());
        int i = random.nextInt(elements.size());
        elements.set(i, mutated(elements.get(i), random));
        yield new Json.JsonArray(elements);
      }
      case Json _ -> VALUES.get(random.nextInt(VALUES.size()));
    };
  }

  @Test
  void annotationsKeepTheirOrder() {
    Map<String, String> annotations = new LinkedHashMap<>();
    annotations.put("z", "1");
    annotations.put("a", "2");
    Config config = DefaultConfig.create(true, 1, 1).withAnnotations(annotations);
    assertThat(Config.read(config.toJson()).annotations().keySet()).containsExactly("z", "a");
  }
}
