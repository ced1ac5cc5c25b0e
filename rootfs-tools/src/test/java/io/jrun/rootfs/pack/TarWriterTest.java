package io.jrun.rootfs.pack;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.call.EntryStat;
import io.jrun.kernel.call.Stat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TarWriterTest {
  @Test
  void timesHaveNoZerosAtTheirEnd() throws IOException {
    assertThat(written(7, 500_000_000)).contains(" mtime=7.5\n");
    assertThat(written(7, 1)).contains(" mtime=7.000000001\n");
    assertThat(written(7, 120_030_000)).contains(" mtime=7.12003\n");
    assertThat(written(7, 999_999_999)).contains(" mtime=7.999999999\n");
    assertThat(written(-1, 750_000_000)).contains(" mtime=-0.25\n");
    assertThat(written(-3, 0)).contains(" mtime=-3\n");
    assertThat(written(7, 0)).doesNotContain("mtime");
  }

  private static String written(long seconds, int nanos) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    EntryStat stat = new EntryStat(Stat.S_IFREG | 0644, 0, 0, 1, 0, 0, seconds, nanos, 0, 0, 0, 0);
    new TarWriter(out).entry('0', "file", stat, "", 0, Map.of());
    return out.toString(StandardCharsets.ISO_8859_1);
  }
}
