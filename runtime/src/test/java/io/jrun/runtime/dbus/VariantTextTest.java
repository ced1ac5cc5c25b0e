package io.jrun.runtime.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VariantTextTest {
  @Test
  void numbersHaveTheTypeThatIsNamedOrInt32() {
    assertThat(VariantText.parse("5")).isEqualTo(new Value.Int('i', 5));
    assertThat(VariantText.parse("-0x10")).isEqualTo(new Value.Int('i', -16));
    assertThat(VariantText.parse(" uint64 18446744073709551615 ")).isEqualTo(Value.uint64(-1));
    assertThat(VariantText.parse("byte 0x1f")).isEqualTo(new Value.Int('y', 31));
    assertThat(VariantText.parse("@t 7")).isEqualTo(Value.uint64(7));
    assertThat(VariantText.parse("1.5")).isEqualTo(new Value.Real(1.5));
    assertThat(VariantText.parse("double 2")).isEqualTo(new Value.Real(2));
  }

  @Test
  void textsAndTruths() {
    assertThat(VariantText.parse("true")).isEqualTo(Value.bool(true));
    assertThat(VariantText.parse("'it\\'s \\u00e4\\n'")).isEqualTo(Value.string("it's ä\n"));
    assertThat(VariantText.parse("\"a'b\"")).isEqualTo(Value.string("a'b"));
    assertThat(VariantText.parse("objectpath '/a/b'")).isEqualTo(Value.path("/a/b"));
    assertThat(VariantText.parse("<'x'>")).isEqualTo(new Value.Variant(Value.string("x")));
  }

  @Test
  void containers() {
    assertThat(VariantText.parse("['a', 'b']")).isEqualTo(Value.strings(List.of("a", "b")));
    assertThat(VariantText.parse("@as []")).isEqualTo(Value.strings(List.of()));
    assertThat(VariantText.parse("[uint32 1, 2]"))
        .isEqualTo(new Value.Array("u", List.of(Value.uint32(1), Value.uint32(2))));
    assertThat(VariantText.parse("@a(ss) [('/dev/null', 'rw')]"))
        .isEqualTo(
            new Value.Array(
                "(ss)", List.of(Value.struct(Value.string("/dev/null"), Value.string("rw")))));
    assertThat(VariantText.parse("(1, 'x', true)"))
        .isEqualTo(Value.struct(new Value.Int('i', 1), Value.string("x"), Value.bool(true)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "uint64",
        "uint64 -1",
        "byte 256",
        "'open",
        "[1, 'a']",
        "[]",
        "[1",
        "(",
        "()",
        "nonsense",
        "1 2",
        "@s 5",
        "uint64 1e3",
        "'\\u00'",
        "@(ss) ('a')x",
        "9999999999"
      })
  void whatIsWrongIsRefused(String text) {
    assertThatThrownBy(() -> VariantText.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
