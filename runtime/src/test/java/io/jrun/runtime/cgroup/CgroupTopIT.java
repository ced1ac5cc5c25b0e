package io.jrun.runtime.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.host.HostKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CgroupTopIT {
  private final HostKernel kernel = new HostKernel();
  private final CgroupTop top = new CgroupTop(kernel);

  @BeforeEach
  void cgroups() {
    assumeTrue(Files.isDirectory(Path.of(CgroupTop.PATH)), "needs " + CgroupTop.PATH);
  }

  @Test
  void pathsBeginAtWhatIsMountedThere() {
    try (top) {
      top.use(1);
      CgroupTop.Place place = top.place(CgroupTop.PATH + "/.");
      assertThat(place.path()).isEqualTo(".");
      assertThat(place.directory()).isInstanceOf(Descriptor.Named.class);
      assertThat(inode(place))
          .isEqualTo(inode(new CgroupTop.Place(Descriptor.CWD, CgroupTop.PATH)));
      assertThat(top.place("/proc/devices").directory()).isEqualTo(Descriptor.CWD);
      assertThat(top.place(CgroupTop.PATH + "2/a").directory()).isEqualTo(Descriptor.CWD);
    }
  }

  @Test
  void whatIsMountedOverItIsOpenedAndWhoUsesTheOldOneIsNotDisturbed() {
    try (top) {
      top.use(1);
      CgroupTop.Place before = top.place(CgroupTop.PATH + "/.");
      top.use(2);
      assertThat(top.place(CgroupTop.PATH + "/.").directory()).isNotEqualTo(before.directory());
      assertThat(inode(before)).isPositive();
    }
  }

  @Test
  void pathsAreWholeWhereNothingIsMountedThere() {
    String path = CgroupTop.PATH + "/a";
    try (top) {
      assertThat(top.place(path)).isEqualTo(new CgroupTop.Place(Descriptor.CWD, path));
      top.use(1);
      top.use(0);
      assertThat(top.place(path)).isEqualTo(new CgroupTop.Place(Descriptor.CWD, path));
    }
  }

  private long inode(CgroupTop.Place place) {
    Stat stat = kernel.call(new FileCall.Statx(place.directory(), place.path(), 0));
    return stat.inode();
  }
}
