package io.jrun.specs.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class JsonTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "{", "[1,]", "{\"a\"}", "01", "nul", "{} {}", "\"\u0001\"", "NaN", "'a'"})
  void whatIsNotOneValueIsRefusedInOneLine(String text) {
    assertThatThrownBy(() -> Json.parse(text))
        .isInstanceOf(SpecException.class)
        .message()
        .startsWith("json: ")
        .doesNotContain("\n");
  }

  @Test
  void deepNestingIsRefused() {
    assertThatThrownBy(() -> Json.parse("[".repeat(100_000))).isInstanceOf(SpecException.class);
  }

  @Test
  void printsLikeGo() {
    assertThat(Json.parse("{\"a\":[1,{}],\"b\":{\"c\":[]}}").toText("\t"))
        .isEqualTo("{\n\t\"a\": [\n\t\t1,\n\t\t{}\n\t],\n\t\"b\": {\n\t\t\"c\": []\n\t}\n}");
  }

  @Test
  void stringsAndNumbersSurvive() {
    String text = "[\"\\u0000\\\"\\\\\\ud800 ü😀\",1.50,-0,1E400,123456789012345678901234567890]";
    assertThat(Json.parse(text).toText()).isEqualTo(text);
  }

  @Test
  void theLastOfEqualNamesCounts() {
    assertThat(Json.parse("{\"a\":1,\"a\":2}").toText()).isEqualTo("{\"a\":2}");
  }

  @Test
  void pointersAreEscaped() {
    assertThat(JsonReader.pointer("/a", "b/c~d")).isEqualTo("/a/b~1c~0d");
  }
}
