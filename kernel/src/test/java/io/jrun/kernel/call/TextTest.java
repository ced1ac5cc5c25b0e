package io.jrun.kernel.call;

import static io.jrun.kernel.call.FileCall.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.KernelException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextTest {
  private static final Descriptor THREE = new Descriptor.Known(3);

  private static byte[] ascii(String string) {
    return string.getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void openFlagsAreDecodedWithTheirAccessMode() {
    assertThat(new Openat(Descriptor.CWD, "/a", O_CLOEXEC, 0, false).text())
        .isEqualTo("openat(AT_FDCWD, \"/a\", O_RDONLY|O_CLOEXEC, 00)");
    assertThat(new Openat(THREE, "a", O_WRONLY | O_CREAT | O_EXCL, 0644, false).text())
        .isEqualTo("openat(3, \"a\", O_WRONLY|O_CREAT|O_EXCL, 0644)");
  }

  @Test
  void bitsWithoutANameAreHexadecimal() {
    assertThat(MountCall.UMOUNT.text(MountCall.MNT_DETACH | 0x40)).isEqualTo("MNT_DETACH|0x40");
    assertThat(MountCall.UMOUNT.text(0)).isEqualTo("0");
  }

  @Test
  void structuresNameTheirFields() {
    assertThat(
            new Openat2(
                    new Descriptor.ResultOf(4),
                    "etc",
                    O_PATH | O_DIRECTORY,
                    0,
                    RESOLVE_IN_ROOT,
                    false)
                .text())
        .isEqualTo(
            "openat2(#4, \"etc\", {flags=O_RDONLY|O_DIRECTORY|O_PATH, mode=0, resolve=RESOLVE_IN_ROOT}, 24)");
    assertThat(
            new MountCall.MountSetattr(
                    new Descriptor.Passed(0),
                    AT_RECURSIVE,
                    MountCall.MOUNT_ATTR_RDONLY,
                    0,
                    MountCall.MS_PRIVATE,
                    THREE)
                .text())
        .startsWith(
            "mount_setattr(passed#0, \"\", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0, propagation=MS_PRIVATE, userns_fd=3");
  }

  @Test
  void everyIoctlOfTheTableHasItsName() {
    for (Flags.Name name : IoctlCall.IOCTL.names()) {
      assertThat(new IoctlCall.Ioctl(THREE, (int) name.value(), 0, false).text())
          .isEqualTo("ioctl(3, " + name.name() + ", 0)");
    }
  }

  @Test
  void mountsReadAsInAManPage() {
    assertThat(new MountCall.Mount("", "/", "", MountCall.MS_REC | MountCall.MS_SLAVE, null).text())
        .isEqualTo("mount(\"\", \"/\", \"\", MS_REC|MS_SLAVE, NULL)");
    assertThat(new MountCall.Fsconfig(THREE, MountCall.FSCONFIG_SET_STRING, "size", "1k").text())
        .isEqualTo("fsconfig(3, FSCONFIG_SET_STRING, \"size\", \"1k\", 0)");
  }

  @Test
  void longDataIsCutAndBinaryDataCounted() {
    assertThat(new Write(THREE, ascii("say \"hi\"\n")).text())
        .isEqualTo("write(3, \"say \\\"hi\\\"\\n\", 9)");
    assertThat(new Write(THREE, ascii("x".repeat(65))).text())
        .isEqualTo("write(3, \"" + "x".repeat(64) + "\"..., 65)");
    assertThat(new Write(THREE, new byte[] {0, 1, 2}).text()).isEqualTo("write(3, <3 bytes>, 3)");
    assertThat(new Read(THREE, 10).text()).isEqualTo("read(3, <out 10>, 10)");
  }

  @Test
  void longArgumentListsAreCounted() {
    assertThat(
            new ProcessCall.Execve("sh", List.of("sh", "-c"), Collections.nCopies(100, "A=b"))
                .text())
        .startsWith("execve(\"sh\", [\"sh\", \"-c\"], [100 strings])");
  }

  @Test
  void aRefusedCallIsItsTextAndItsErrno() {
    assertThat(new KernelException(new Mkdirat(THREE, "d", 0755), Errno.EROFS))
        .hasMessage("mkdirat(3, \"d\", 0755): EROFS (read-only file system)");
    assertThat(Errno.of(4000).name()).isEqualTo("errno 4000");
  }
}
