package io.jrun.runtime.mount;

import static io.jrun.kernel.call.MountCall.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MountOptionsTest {
  private static MountOptions parse(String type, String... options) {
    return MountOptions.parse(type, List.of(options));
  }

  @Test
  void optionsGoToWhoTakesThem() {
    MountOptions options =
        parse(
            "tmpfs",
            "nosuid",
            "strictatime",
            "mode=755",
            "size=65536k",
            "sync",
            "rslave",
            "defaults");
    assertThat(options.attributes()).isEqualTo(MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);
    assertThat(options.data()).containsExactly("mode=755", "size=65536k");
    assertThat(options.superblock()).containsExactly("sync");
    assertThat(options.propagation()).containsExactly((long) (MS_SLAVE | MS_REC));
    assertThat(options.bind()).isFalse();
  }

  @Test
  void bindIsByTypeOrByOption() {
    assertThat(parse("bind").bind()).isTrue();
    assertThat(parse("none", "bind").bind()).isTrue();
    assertThat(parse("none", "bind").recursiveBind()).isFalse();
    assertThat(parse("none", "rbind"))
        .returns(true, MountOptions::bind)
        .returns(true, MountOptions::recursiveBind);
    assertThat(parse("proc").bind()).isFalse();
  }

  @Test
  void theLaterOfTwoOppositesWins() {
    MountOptions writable = parse("tmpfs", "ro", "rw");
    assertThat(writable.attributes() & MOUNT_ATTR_RDONLY).isZero();
    assertThat(writable.cleared()).isEqualTo(MOUNT_ATTR_RDONLY);
    assertThat(writable.superblock()).doesNotContain("ro");
    MountOptions readonly = parse("tmpfs", "rw", "ro");
    assertThat(readonly.attributes()).isEqualTo(MOUNT_ATTR_RDONLY);
    assertThat(readonly.cleared()).isZero();
    assertThat(readonly.superblock()).containsExactly("ro");
  }

  @Test
  void theLaterOfTwoRecursiveOppositesWins() {
    assertThat(parse("bind", "rnodiratime", "rdiratime"))
        .returns(0L, MountOptions::recursive)
        .returns((long) MOUNT_ATTR_NODIRATIME, MountOptions::recursiveCleared);
    assertThat(parse("bind", "rsymfollow", "rnosymfollow"))
        .returns((long) MOUNT_ATTR_NOSYMFOLLOW, MountOptions::recursive)
        .returns(0L, MountOptions::recursiveCleared);
    assertThat(parse("bind", "rnoatime", "rstrictatime").recursive())
        .isEqualTo(MOUNT_ATTR_STRICTATIME);
    assertThat(parse("bind", "rstrictatime", "rrelatime").recursive()).isZero();
    assertThat(parse("bind", "rstrictatime", "rnostrictatime").recursive()).isZero();
  }

  @Test
  void accessTimesAreOneSetting() {
    assertThat(parse("tmpfs", "strictatime", "nostrictatime").attributes()).isZero();
    assertThat(parse("tmpfs", "noatime", "nostrictatime").attributes())
        .isEqualTo(MOUNT_ATTR_NOATIME);
    assertThat(parse("bind", "noatime", "strictatime").attributes())
        .isEqualTo(MOUNT_ATTR_STRICTATIME);
    assertThat(parse("bind", "strictatime", "relatime").attributes()).isZero();
    assertThat(parse("bind", "relatime").cleared()).isEqualTo(MOUNT_ATTR__ATIME);
    assertThat(parse("bind", "noatime", "nodiratime").attributes())
        .isEqualTo(MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME);
  }

  @Test
  void recursiveOptionsAreKeptApart() {
    MountOptions options = parse("bind", "rbind", "rro", "rnosuid", "rdev", "rnoatime");
    assertThat(options.recursive())
        .isEqualTo(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME);
    assertThat(options.recursiveCleared()).isEqualTo(MOUNT_ATTR_NODEV | MOUNT_ATTR__ATIME);
    assertThat(options.attributes()).isZero();
  }

  @Test
  void optionsThatStartWithRAreNotTakenForRecursiveOnes() {
    MountOptions options = parse("tmpfs", "relatime", "ro", "rw");
    assertThat(options.recursive()).isZero();
    assertThat(options.recursiveCleared()).isZero();
    assertThat(options.data()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"private", "slave", "shared", "unbindable"})
  void propagationIsRecursiveWithAnR(String name) {
    long plain = parse("bind", name).propagation().getFirst();
    assertThat(plain & MS_REC).isZero();
    assertThat(parse("bind", "r" + name).propagation()).containsExactly(plain | MS_REC);
  }

  @ParameterizedTest
  @ValueSource(strings = {"idmap", "ridmap"})
  void idMappingIsNotAnOptionOfTheFileSystem(String option) {
    assertThat(parse("bind", option).data()).isEmpty();
  }

  @Test
  void whatIsFilledIsWritableFirst() {
    MountOptions options = parse("tmpfs", "ro", "nosuid", "tmpcopyup").writable();
    assertThat(options.attributes()).isEqualTo(MOUNT_ATTR_NOSUID);
    assertThat(options.superblock()).isEmpty();
    assertThat(options.copyUp()).isTrue();
  }
}
