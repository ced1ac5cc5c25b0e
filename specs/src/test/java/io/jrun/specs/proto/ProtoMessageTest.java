package io.jrun.specs.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProtoMessageTest {
  @Test
  void fieldsGoThereAndBack() {
    Instant at = Instant.ofEpochSecond(1_700_000_000L, 5);
    byte[] bytes =
        new ProtoWriter()
            .string(1, "text")
            .uint32(2, -1)
            .bool(3, true)
            .int64(4, -7)
            .timestamp(5, at)
            .message(6, new ProtoWriter().string(1, "a"))
            .message(6, new ProtoWriter().string(1, "b"))
            .stringMap(7, Map.of("k", "v"))
            .toBytes();
    ProtoMessage m = ProtoMessage.parse(bytes);
    assertThat(m.string(1)).isEqualTo("text");
    assertThat(m.int32(2)).isEqualTo(-1);
    assertThat(m.bool(3)).isTrue();
    assertThat(m.int64(4)).isEqualTo(-7);
    assertThat(m.timestamp(5)).isEqualTo(at);
    assertThat(m.messages(6).stream().map(each -> each.string(1))).containsExactly("a", "b");
    assertThat(m.message(6).string(1)).isEqualTo("b");
    assertThat(m.stringMap(7)).containsExactly(Map.entry("k", "v"));
    assertThat(m.has(8)).isFalse();
    assertThat(m.string(8)).isEmpty();
  }

  @Test
  void repeatedNumbersArePackedOrNot() {
    byte[] bytes = new ProtoWriter().packedUint64(1, 300, 0).int64(1, 7).toBytes();
    assertThat(ProtoMessage.parse(bytes).int64s(1)).containsExactly(300L, 0L, 7L);
    assertThat(ProtoMessage.parse(bytes).int64s(2)).isEmpty();
    byte[] cutOff = new ProtoWriter().bytes(1, new byte[] {(byte) 0x80}).toBytes();
    assertThatThrownBy(() -> ProtoMessage.parse(cutOff).int64s(1))
        .isInstanceOf(ProtoException.class);
  }

  @Test
  void defaultsTakeNoBytes() {
    assertThat(new ProtoWriter().string(1, "").uint32(2, 0).bool(3, false).int64(4, 0).toBytes())
        .isEmpty();
  }

  /// An int32 of -1 is ten bytes, a uint32 five (the encoding of protocol buffers).
  @Test
  void numbersHaveTheirTypesLength() {
    assertThat(new ProtoWriter().int32(1, -1).toBytes()).hasSize(11);
    assertThat(new ProtoWriter().uint32(1, -1).toBytes()).hasSize(6);
  }

  @Test
  void aTimeThatIsNoneIsRefused() {
    byte[] bytes =
        new ProtoWriter().message(1, new ProtoWriter().int64(1, Long.MAX_VALUE)).toBytes();
    assertThatThrownBy(() -> ProtoMessage.parse(bytes).timestamp(1))
        .isInstanceOf(ProtoException.class);
  }
}
