package io.jrun.runtime.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MessageTest {
  private static byte[] bytes(Value... values) {
    return new Marshaller().addAll(List.of(values)).bytes();
  }

  private static String hex(Value... values) {
    return HexFormat.of().formatHex(bytes(values));
  }

  /// The specification's own examples and its rules of alignment.
  @Test
  void valuesAreAlignedFromTheBeginning() {
    assertThat(hex(Value.string("foo"), Value.string("+"), Value.string("bar")))
        .isEqualTo(
            "03000000" + "666f6f00" + "01000000" + "2b00" + "0000" + "03000000" + "62617200");
    assertThat(hex(new Value.Array("x", List.of(new Value.Int('x', 5)))))
        .isEqualTo("08000000" + "00000000" + "0500000000000000");
    assertThat(hex(new Value.Array("x", List.of()))).isEqualTo("00000000" + "00000000");
    assertThat(hex(new Value.Int('y', 7), Value.uint32(1))).isEqualTo("07" + "000000" + "01000000");
    assertThat(hex(new Value.Variant(Value.bool(true))))
        .isEqualTo("01" + "6200" + "00" + "01000000");
    assertThat(hex(new Value.Int('y', 1), Value.struct(new Value.Int('y', 2))))
        .isEqualTo("01" + "00000000000000" + "02");
  }

  @Test
  void aPaddedArrayIsReadBackWhereverItLies() {
    List<Value> values =
        List.of(
            new Value.Int('y', 1),
            new Value.Array(
                "(sv)",
                List.of(Value.struct(Value.string("a"), new Value.Variant(Value.uint64(-1))))),
            new Value.Array(
                "{sv}",
                List.of(
                    new Value.Entry(
                        Value.string("k"), new Value.Variant(Value.strings(List.of("x", "yz")))))),
            new Value.Array(
                "ax",
                List.of(
                    new Value.Array("x", List.of()),
                    new Value.Array("x", List.of(new Value.Int('x', -2))))),
            new Value.Real(1.5),
            new Value.Text('g', "a(sv)"));
    byte[] bytes = new Marshaller().addAll(values).bytes();
    assertThat(new Unmarshaller(bytes, ByteOrder.LITTLE_ENDIAN).values("ya(sv)a{sv}aaxdg"))
        .isEqualTo(values);
  }

  @Test
  void whatIsWrittenIsReadAgain() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      List<Value> body = new ArrayList<>();
      for (int n = random.nextInt(4); n > 0; n--) body.add(value(random, 3));
      Message message =
          Message.call(i + 1, random.nextBoolean() ? "" : "a.b", "/a", "a.b", "Do", body);
      byte[] bytes = message.bytes();
      assertThat(Message.length(bytes)).isEqualTo(bytes.length);
      Message read = Message.read(bytes);
      assertThat(read.body()).isEqualTo(body);
      assertThat(read.text(Message.MEMBER)).isEqualTo("Do");
      assertThat(read.serial()).isEqualTo(i + 1);
      int cut = random.nextInt(bytes.length - Message.FIXED) + Message.FIXED;
      mayOnlyBeRefused(Arrays.copyOf(bytes, cut));
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      mayOnlyBeRefused(bytes);
    }
  }

  private static void mayOnlyBeRefused(byte[] bytes) {
    try {
      Message.length(bytes);
      Message.read(bytes);
    } catch (DBusException | ClassCastException e) {
      assertThat(e).isInstanceOf(DBusException.class);
    }
  }

  private static Value value(Random random, int depth) {
    return switch (random.nextInt(depth > 0 ? 11 : 7)) {
      case 0 -> new Value.Int('y', random.nextInt(256));
      case 1 -> new Value.Int('n', (short) random.nextInt());
      case 2 -> new Value.Int('u', random.nextInt() & 0xffffffffL);
      case 3 -> new Value.Int('t', random.nextLong());
      case 4 -> Value.bool(random.nextBoolean());
      case 5 -> Value.string("ä".repeat(random.nextInt(9)));
      case 6 -> new Value.Real(random.nextInt());
      case 7 -> {
        Value one = value(random, depth - 1);
        yield new Value.Array(
            one.signature(), random.nextBoolean() ? List.of(one, one) : List.of());
      }
      case 8 -> new Value.Variant(value(random, depth - 1));
      case 9 ->
          new Value.Array(
              "{sv}",
              List.of(
                  new Value.Entry(Value.string("k"), new Value.Variant(value(random, depth - 1)))));
      default -> Value.struct(value(random, depth - 1), value(random, depth - 1));
    };
  }

  @Test
  void aBigEndianAnswerIsUnderstood() {
    Message error =
        Message.read(
            HexFormat.of()
                .parseHex(
                    "42030001"
                        + "00000008"
                        + "00000009"
                        + "0000001c" // header, fields of 28 bytes
                        + "05017500"
                        + "00000007" // reply serial 7
                        + "04017300"
                        + "00000003"
                        + "612e6200" // error name a.b
                        + "00000000" // to a boundary of 8
                        + "08016700"
                        + "00000000" // as a signature: empty
                        + "00000003"
                        + "62616400")); // never read without a signature
    assertThat(error.type()).isEqualTo(Message.ERROR);
    assertThat(error.replySerial()).isEqualTo(7);
    assertThat(error.text(Message.ERROR_NAME)).isEqualTo("a.b");
  }

  @Test
  void aMessageThatIsTooLongIsRefused() {
    byte[] huge = Arrays.copyOf(new Message(Message.CALL, 0, 1, Map.of(), List.of()).bytes(), 16);
    Arrays.fill(huge, 4, 8, (byte) 0xff);
    assertThatThrownBy(() -> Message.length(huge)).isInstanceOf(DBusException.class);
  }

  @Test
  void arraysHoldOneType() {
    assertThatThrownBy(() -> new Value.Array("s", List.of(Value.bool(true))))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
