package io.jrun.rootfs.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class TimeTest {
  @Test
  void fractionsCountFromTheSecondBefore() {
    assertThat(Time.parse("12")).isEqualTo(new Time(12, 0));
    assertThat(Time.parse("12.5")).isEqualTo(new Time(12, 500_000_000));
    assertThat(Time.parse("12.0000000019")).isEqualTo(new Time(12, 1));
    assertThat(Time.parse("-1.25")).isEqualTo(new Time(-2, 750_000_000));
    assertThat(Time.parse("-0.25")).isEqualTo(new Time(-1, 750_000_000));
    assertThat(Time.parse("-3")).isEqualTo(new Time(-3, 0));
    assertThatThrownBy(() -> Time.parse("x")).isInstanceOf(NumberFormatException.class);
  }

  @Test
  void accessControlListsBecomeTheKernels() {
    ByteBuffer acl =
        ByteBuffer.wrap(Acl.parse("user::rw-,user:name:r-x:1000,group::r--\nmask::rwx,other::---"))
            .order(ByteOrder.LITTLE_ENDIAN);
    assertThat(acl.capacity()).isEqualTo(4 + 5 * 8);
    assertThat(acl.getInt(0)).isEqualTo(2);
    assertThat(acl.getShort(4)).isEqualTo((short) 1);
    assertThat(acl.getShort(6)).isEqualTo((short) 6);
    assertThat(acl.getShort(12)).isEqualTo((short) 2);
    assertThat(acl.getInt(16)).isEqualTo(1000);
    assertThatThrownBy(() -> Acl.parse("user:joe:rwx")).isInstanceOf(TarException.class);
  }
}
