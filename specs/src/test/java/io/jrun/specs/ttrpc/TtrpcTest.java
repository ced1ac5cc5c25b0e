package io.jrun.specs.ttrpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.proto.ProtoException;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TtrpcTest {
  private static final byte[] PAYLOAD = {1, 2, 3};

  private static TtrpcRequest request() {
    return new TtrpcRequest("a.Service", "Do", PAYLOAD, 5, Map.of("key", "value"));
  }

  @Test
  void aFrameHasTheHeaderOfTtrpc() {
    byte[] bytes = new TtrpcFrame(7, TtrpcFrame.REQUEST, 2, PAYLOAD).toBytes();
    assertThat(bytes).containsExactly(0, 0, 0, 3, 0, 0, 0, 7, 1, 2, 1, 2, 3);
    TtrpcFrame frame = TtrpcFrame.read(bytes);
    assertThat(frame.stream()).isEqualTo(7);
    assertThat(frame.type()).isEqualTo(1);
    assertThat(frame.flags()).isEqualTo(2);
    assertThat(frame.data()).isEqualTo(PAYLOAD);
  }

  @Test
  void aFrameThatIsCutIsRefused() {
    byte[] bytes = new TtrpcFrame(7, TtrpcFrame.REQUEST, 0, PAYLOAD).toBytes();
    for (int size = 0; size < bytes.length; size++) {
      byte[] cut = Arrays.copyOf(bytes, size);
      assertThatThrownBy(() -> TtrpcFrame.read(cut)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void requestsAndResponsesGoThereAndBack() {
    TtrpcRequest read = TtrpcRequest.read(request().toBytes());
    assertThat(read.service()).isEqualTo("a.Service");
    assertThat(read.method()).isEqualTo("Do");
    assertThat(read.payload()).isEqualTo(PAYLOAD);
    assertThat(read.timeoutNanos()).isEqualTo(5);
    assertThat(read.metadata()).containsExactly(Map.entry("key", "value"));
    TtrpcResponse ok = TtrpcResponse.read(TtrpcResponse.ok(PAYLOAD).toBytes());
    assertThat(ok.code()).isEqualTo(StatusCode.OK);
    assertThat(ok.payload()).isEqualTo(PAYLOAD);
    TtrpcResponse no =
        TtrpcResponse.read(TtrpcResponse.failure(StatusCode.NOT_FOUND, "no").toBytes());
    assertThat(no.code().value()).isEqualTo(5);
    assertThat(no.message()).isEqualTo("no");
  }

  /// What is cut or changed is read as something, or refused as no message; nothing else happens.
  @Test
  void damagedRequestsAreReadOrRefused() {
    byte[] whole = request().toBytes();
    for (int size = 0; size < whole.length; size++) read(Arrays.copyOf(whole, size), "cut " + size);
    for (long seed = 0; seed < 3000; seed++) {
      Random random = new Random(seed);
      byte[] bytes = whole.clone();
      for (int i = 0; i <= random.nextInt(4); i++)
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      read(bytes, "changed, seed " + seed);
      byte[] noise = new byte[random.nextInt(300)];
      random.nextBytes(noise);
      read(noise, "noise, seed " + seed);
    }
  }

  private static void read(byte[] bytes, String what) {
    try {
      assertThat(TtrpcRequest.read(bytes).service()).as(what).isNotNull();
    } catch (ProtoException e) {
      assertThat(e).as(what).hasMessageContaining("malformed");
    }
  }
}
