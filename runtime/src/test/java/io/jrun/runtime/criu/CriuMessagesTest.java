package io.jrun.runtime.criu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CriuMessagesTest {
  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replace(" ", ""));
  }

  @Test
  void numbersTextsAndMessagesAreInProtobufsForm() {
    byte[] bytes =
        new ProtoWriter()
            .number(1, 150)
            .text(2, "testing")
            .message(3, new ProtoWriter().number(1, 150))
            .flag(44, true)
            .bytes();
    assertThat(bytes).isEqualTo(hex("08 9601 12 07 74657374696e67 1a 03 089601 e002 01"));
    ProtoFields fields = ProtoFields.read(bytes);
    assertThat(fields.number(1, 0)).isEqualTo(150);
    assertThat(fields.text(2)).isEqualTo("testing");
    assertThat(Objects.requireNonNull(fields.message(3)).number(1, 0)).isEqualTo(150);
    assertThat(fields.flag(44)).isTrue();
    assertThat(fields.number(5, -7)).isEqualTo(-7);
    assertThat(fields.message(5)).isNull();
  }

  @Test
  void negativeNumbersTakeTenBytes() {
    byte[] bytes = new ProtoWriter().number(1, -1).bytes();
    assertThat(bytes).hasSize(11);
    assertThat(ProtoFields.read(bytes).number(1, 0)).isEqualTo(-1);
  }

  @Test
  void fixedFieldsOfOthersArePassedOver() {
    assertThat(ProtoFields.read(hex("09 0102030405060708 15 01020304 18 05")).number(3, 0))
        .isEqualTo(5);
  }

  @Test
  void whatIsCutOffOrRandomIsRefusedAndNothingWorse() {
    byte[] whole =
        new ProtoWriter().text(2, "testing").message(3, new ProtoWriter().number(1, 150)).bytes();
    for (int i = 0; i < whole.length; i++) {
      byte[] part = Arrays.copyOf(whole, i);
      if (i == 0 || i == 9) assertThat(ProtoFields.read(part)).isNotNull();
      else assertThatThrownBy(() -> ProtoFields.read(part)).isInstanceOf(CriuException.class);
    }
    long seed = 20261125;
    Random random = new Random(seed);
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      try {
        CriuResponse.read(bytes);
      } catch (CriuException e) {
        assertThat(e).as("seed %d", seed).hasMessageContaining("malformed");
      }
    }
  }

  @Test
  void aRequestSaysWhatRuncAsksFor() {
    CriuRequest request =
        CriuRequest.of(CriuRequest.Type.DUMP, "/images", "/work", "dump.log")
            .pid(77)
            .leaveRunning(true)
            .shellJob(true)
            .extUnixSk(true)
            .tcpEstablished(false)
            .linkRemap(true)
            .tcpSkipInFlight(true)
            .autoDedup(true)
            .cgroups(CriuRequest.CgroupsMode.STRICT)
            .parentImages("../parent")
            .pageServer("127.0.0.1", 1234)
            .lsmProfile("apparmor:x")
            .lsmMountContext("c");
    assertThat(request.directories()).containsExactly("/images", "/work");
    ProtoFields all = ProtoFields.read(request.bytes());
    assertThat(all.number(1, 0)).isEqualTo(1);
    ProtoFields options = Objects.requireNonNull(all.message(2));
    assertThat(options.number(1, 0)).isEqualTo(Criu.DIRECTORIES);
    assertThat(options.number(17, 0)).isEqualTo(Criu.DIRECTORIES + 1);
    assertThat(options.number(2, 0)).isEqualTo(77);
    for (int on : new int[] {3, 4, 7, 12, 15, 16, 18, 24, 46, 50})
      assertThat(options.flag(on)).as("option %d", on).isTrue();
    assertThat(options.flag(5)).isFalse();
    assertThat(options.number(9, 0)).isEqualTo(4);
    assertThat(options.text(10)).isEqualTo("dump.log");
    assertThat(options.text(14)).isEqualTo("../parent");
    assertThat(options.number(34, 0)).isEqualTo(5);
    assertThat(options.text(53)).isEqualTo("apparmor:x");
    assertThat(options.text(63)).isEqualTo("c");
    ProtoFields server = Objects.requireNonNull(options.message(11));
    assertThat(server.text(1)).isEqualTo("127.0.0.1");
    assertThat(server.number(2, 0)).isEqualTo(1234);
  }

  @Test
  void answersAreRead() {
    ProtoWriter version = new ProtoWriter().number(1, 3).number(2, 17).number(4, 1);
    byte[] answer = new ProtoWriter().number(1, 10).flag(2, true).message(10, version).bytes();
    assertThat(CriuResponse.read(answer).version()).isEqualTo(31_701);
    ProtoWriter fromGit = new ProtoWriter().number(1, 3).number(2, 17).number(4, 1).text(3, "g");
    answer = new ProtoWriter().number(1, 10).flag(2, true).message(10, fromGit).bytes();
    assertThat(CriuResponse.read(answer).version()).isEqualTo(31_800);
    ProtoWriter notify = new ProtoWriter().text(1, "post-restore").number(2, 99);
    CriuResponse notification =
        CriuResponse.read(new ProtoWriter().number(1, 6).flag(2, true).message(5, notify).bytes());
    assertThat(notification.isNotification()).isTrue();
    assertThat(notification.script()).isEqualTo("post-restore");
    assertThat(notification.notifiedPid()).isEqualTo(99);
    CriuResponse failed =
        CriuResponse.read(new ProtoWriter().number(1, 2).flag(2, false).number(7, 17).bytes());
    assertThat(failed.success()).isFalse();
    assertThat(failed.type()).isEqualTo("RESTORE");
    assertThat(failed.errno()).isEqualTo(17);
    assertThat(CriuRequest.notified(false)).isEqualTo(hex("08 06 18 00"));
  }
}
