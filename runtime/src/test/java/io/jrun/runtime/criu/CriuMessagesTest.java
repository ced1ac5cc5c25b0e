package io.jrun.runtime.criu;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CriuMessagesTest {
  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replace(" ", ""));
  }

  @Test
  void whatIsRandomIsRefusedAndNothingWorse() {
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
    ProtoMessage all = ProtoMessage.parse(request.bytes());
    assertThat(all.int64(1)).isEqualTo(1);
    ProtoMessage options = all.message(2);
    assertThat(options.int64(1)).isEqualTo(Criu.DIRECTORIES);
    assertThat(options.int64(17)).isEqualTo(Criu.DIRECTORIES + 1);
    assertThat(options.int64(2)).isEqualTo(77);
    for (int on : new int[] {3, 4, 7, 12, 15, 16, 18, 24, 46, 50})
      assertThat(options.bool(on)).as("option %d", on).isTrue();
    assertThat(options.bool(5)).isFalse();
    assertThat(options.int64(9)).isEqualTo(4);
    assertThat(options.string(10)).isEqualTo("dump.log");
    assertThat(options.string(14)).isEqualTo("../parent");
    assertThat(options.int64(34)).isEqualTo(5);
    assertThat(options.string(53)).isEqualTo("apparmor:x");
    assertThat(options.string(63)).isEqualTo("c");
    ProtoMessage server = options.message(11);
    assertThat(server.string(1)).isEqualTo("127.0.0.1");
    assertThat(server.int64(2)).isEqualTo(1234);
  }

  /// Without it the path would be that of every controller.
  @Test
  void theEmptyNameOfV2IsSaid() {
    CriuRequest request =
        CriuRequest.of(CriuRequest.Type.RESTORE, "/images", null, "restore.log")
            .dumpedHierarchy("")
            .cgroupRoot("", "/c");
    ProtoMessage options = ProtoMessage.parse(request.bytes()).message(2);
    assertThat(options.messages(25)).hasSize(1);
    assertThat(options.messages(25).getFirst().has(1)).isTrue();
    assertThat(options.strings(43)).containsExactly("");
  }

  @Test
  void answersAreRead() {
    ProtoWriter version = new ProtoWriter().present(1, 3).present(2, 17).present(4, 1);
    byte[] answer =
        new ProtoWriter().present(1, 10).present(2, true).message(10, version).toBytes();
    assertThat(CriuResponse.read(answer).version()).isEqualTo(31_701);
    ProtoWriter fromGit =
        new ProtoWriter().present(1, 3).present(2, 17).present(4, 1).string(3, "g");
    answer = new ProtoWriter().present(1, 10).present(2, true).message(10, fromGit).toBytes();
    assertThat(CriuResponse.read(answer).version()).isEqualTo(31_800);
    ProtoWriter notify = new ProtoWriter().string(1, "post-restore").present(2, 99);
    CriuResponse notification =
        CriuResponse.read(
            new ProtoWriter().present(1, 6).present(2, true).message(5, notify).toBytes());
    assertThat(notification.isNotification()).isTrue();
    assertThat(notification.script()).isEqualTo("post-restore");
    assertThat(notification.notifiedPid()).isEqualTo(99);
    CriuResponse failed =
        CriuResponse.read(
            new ProtoWriter().present(1, 2).present(2, false).present(7, 17).toBytes());
    assertThat(failed.success()).isFalse();
    assertThat(failed.type()).isEqualTo("RESTORE");
    assertThat(failed.errno()).isEqualTo(17);
    assertThat(CriuRequest.notified(false)).isEqualTo(hex("08 06 18 00"));
  }
}
