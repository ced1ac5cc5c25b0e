package io.jrun.kernel.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MappedFilesTest {
  private static final List<Path> JVM = List.of(Path.of(System.getProperty("java.home")));

  private static List<Long> found(String permissions, String file, String anonymous) {
    Stream<String> smaps =
        Stream.of(
            "7f0000001000-7f0000003000 " + permissions + " 00001000 fe:00 77  " + file,
            "Size:                  8 kB",
            "Rss:                   8 kB",
            "Anonymous:             " + anonymous,
            "VmFlags: rd mr mw me");
    return MappedFiles.of(smaps, List.of(Path.of("/opt/jvm"))).starts();
  }

  @Test
  void textAndConstantsAreFound() {
    assertThat(found("r-xp", "/opt/jvm/lib/libjvm.so", "0 kB")).containsExactly(0x7f0000001000L);
    assertThat(found("r--p", "/opt/jvm/lib/libjvm.so", "0 kB")).hasSize(1);
    assertThat(found("r--s", "/opt/jvm/lib/modules", "0 kB")).hasSize(1);
  }

  @Test
  void whatCanBeWrittenOrWasIsLeftAlone() {
    assertThat(found("rw-p", "/opt/jvm/lib/libjvm.so", "0 kB")).isEmpty();
    assertThat(found("r--p", "/opt/jvm/lib/libjvm.so", "4 kB")).isEmpty();
    assertThat(found("r--p", "/opt/jvm/lib/libjvm.so", "10 kB")).isEmpty();
  }

  @Test
  void filesThatMayBeUnmappedAreLeftAlone() {
    assertThat(found("r--s", "/srv/image.tar", "0 kB")).isEmpty();
    assertThat(found("r--p", "/opt/jvm2/lib/libjvm.so", "0 kB")).isEmpty();
    assertThat(found("r-xp", "", "0 kB")).isEmpty();
    assertThat(found("r-xp", "[vdso]", "0 kB")).isEmpty();
  }

  @Test
  void thePagesGoAndComeBackWhileOthersUseThem() throws IOException, InterruptedException {
    AtomicInteger sum = new AtomicInteger();
    Thread other =
        Thread.ofPlatform()
            .start(() -> {
              while (!Thread.currentThread().isInterrupted())
                sum.addAndGet(String.format("%x", 77).length());
            });
    HostKernel kernel = new HostKernel();
    long before = residentText();
    long withOthers = leastAfterLettingGo(kernel);
    long alone;
    try (LonePages _ = MappedFiles.find(JVM).alone(kernel)) {
      alone = leastAfterLettingGo(kernel);
    }
    other.interrupt();
    other.join();
    assertThat(withOthers).as("KiB of the JVM's text, of %d", before).isLessThan(before * 3 / 4);
    assertThat(sum).hasPositiveValue();
    assumeTrue(takesRangesOfFiles(), "Linux 6.7 is the first where a page can come alone");
    assertThat(alone).as("KiB where each page comes alone").isLessThan(withOthers / 2);
  }

  private static long leastAfterLettingGo(HostKernel kernel) throws IOException {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 20; i++) {
      MappedFiles.find(JVM).letGo(kernel);
      least = Math.min(least, residentText());
    }
    return least;
  }

  private static boolean takesRangesOfFiles() {
    String[] version = System.getProperty("os.version").split("\\D");
    int major = Integer.parseInt(version[0]);
    return major > 6 || major == 6 && Integer.parseInt(version[1]) >= 7;
  }

  private static long residentText() throws IOException {
    boolean isText = false;
    long sum = 0;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.contains("-") && line.contains("p ")) isText = line.contains("libjvm.so");
      if (isText && line.startsWith("Rss:")) sum += Long.parseLong(line.replaceAll("\\D", ""));
    }
    return sum;
  }
}
