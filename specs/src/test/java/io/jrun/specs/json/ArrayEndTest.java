package io.jrun.specs.json;

import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ArrayEndTest {
  /// The document with `9` added.
  private static String with(String document) {
    byte[] bytes = document.getBytes(UTF_8);
    int end = ArrayEnd.of(bytes, "a");
    return new String(bytes, 0, end, UTF_8)
        + ",9"
        + new String(bytes, end, bytes.length - end, UTF_8);
  }

  @Test
  void whatIsAddedThereIsTheLastElement() {
    assertThat(with("{\"a\":[1]}")).isEqualTo("{\"a\":[1,9]}");
    assertThat(
            with(
                "{ \"b\": [\"a\", {\"a\": [2]}], \"a\" : [ [], {\"a\":[3]}, \"]\"\n ] , \"c\": 1 }\n"))
        .isEqualTo(
            "{ \"b\": [\"a\", {\"a\": [2]}], \"a\" : [ [], {\"a\":[3]}, \"]\"\n ,9] , \"c\": 1 }\n");
    assertThat(with("{\"ü😀\": \"ü😀\", \"a\": [\"ü😀\"]}"))
        .isEqualTo("{\"ü😀\": \"ü😀\", \"a\": [\"ü😀\",9]}");
  }

  @Test
  void ofEqualNamesTheLastCounts() {
    assertThat(with("{\"a\":[1],\"a\":[2]}")).isEqualTo("{\"a\":[1],\"a\":[2,9]}");
    assertThat(ArrayEnd.of("{\"a\":[1],\"a\":2}".getBytes(UTF_8), "a")).isNegative();
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "[1]", "{\"a\":[]}", "{\"a\":{\"a\":[1]}}", "{\"b\":[1]}", "3"})
  void elsewhereNothingCanBeAdded(String document) {
    assertThat(ArrayEnd.of(document.getBytes(UTF_8), "a")).isNegative();
  }

  @Test
  void noOffsetIsToldWhereCharactersAreOtherBytes() {
    assertThat(ArrayEnd.of("{\"a\":[1]}".getBytes(UTF_16), "a")).isNegative();
  }
}
