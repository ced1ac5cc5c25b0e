package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Mounts whose destination, or what they are made with, is somebody else's to change.
class MountAttackIT extends EndToEnd {
  /// How long a race is tried: `-Djrun.race.seconds`.
  private static final long SECONDS = Long.getLong("jrun.race.seconds", 2);

  /// Exchanges a directory and a symbolic link to `target` under one name, as fast as it can.
  private Thread swap(Path name, Path target, AtomicBoolean stop, AtomicInteger swaps)
      throws IOException {
    Path directory = name.resolveSibling("directory");
    Path link = name.resolveSibling("link");
    Files.createDirectories(directory);
    Files.createSymbolicLink(link, target);
    return Thread.ofPlatform()
        .start(() -> {
          try {
            while (!stop.get()) {
              Files.move(directory, name, StandardCopyOption.ATOMIC_MOVE);
              Files.move(name, directory, StandardCopyOption.ATOMIC_MOVE);
              Files.move(link, name, StandardCopyOption.ATOMIC_MOVE);
              Files.move(name, link, StandardCopyOption.ATOMIC_MOVE);
              swaps.incrementAndGet();
            }
          } catch (IOException e) {
            // the runtime made the directory between two moves: begin again
            throw new UncheckedIOException(e);
          }
        });
  }

  private List<String> hostMounts() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mountinfo"));
  }

  private void race(String type, String destination, Path name, Path target) throws Exception {
    Path outside = Files.createDirectories(temp.resolve("outside"));
    List<String> mounts = hostMounts();
    AtomicInteger swaps = new AtomicInteger();
    int runs = 0;
    int mounted = 0;
    long end = System.nanoTime() + SECONDS * 1_000_000_000;
    config.mount(
        type.equals("tmpfs")
            ? "{destination:'%s',type:'tmpfs',source:'tmpfs'}".formatted(destination)
            : "{destination:'%s',type:'bind',source:'%s',options:['rbind']}"
                .formatted(destination, Files.createDirectories(temp.resolve("source"))));
    config.sh("grep -c ' " + destination + " ' /proc/self/mountinfo");
    while (System.nanoTime() < end) {
      AtomicBoolean stop = new AtomicBoolean();
      Thread racing = swap(name, target, stop, swaps);
      racing.setUncaughtExceptionHandler((thread, e) -> {});
      try {
        for (int i = 0; i < 5; i++) {
          id = newId();
          Outcome outcome = run();
          runs++;
          if (outcome.status() == 0) mounted++;
          else assertThat(outcome.err().lines().toList()).as("%s", outcome).hasSizeLessThan(2);
        }
      } finally {
        stop.set(true);
        racing.join();
        for (String left : List.of("directory", "link", name.getFileName().toString()))
          remove(name.resolveSibling(left));
      }
      assertThat(hostMounts()).isEqualTo(mounts);
      try (Stream<Path> made = Files.list(outside)) {
        assertThat(made.toList()).as("made outside of the root").isEmpty();
      }
    }
    System.out.printf("race: %d runs, %d mounted, %d swaps%n", runs, mounted, swaps.get());
    assertThat(swaps.get()).isPositive();
  }

  private static void remove(Path path) throws IOException {
    if (!Files.exists(path, java.nio.file.LinkOption.NOFOLLOW_LINKS)) return;
    if (!Files.isSymbolicLink(path) && Files.isDirectory(path)) {
      try (Stream<Path> below = Files.list(path)) {
        for (Path child : below.toList()) remove(child);
      }
    }
    Files.delete(path);
  }

  @Test
  void cve2021_30465_aDestinationSwappedWithALinkStaysInTheRoot() throws Exception {
    Path volume = Files.createDirectories(bundle.rootfs().resolve("volume"));
    race("tmpfs", "/volume/name", volume.resolve("name"), Path.of("../../../outside"));
  }

  @Test
  void cve2024_45310_aMissingMountPointIsMadeInTheRootOnly() throws Exception {
    Path volume = Files.createDirectories(bundle.rootfs().resolve("volume"));
    race(
        "bind",
        "/volume/name/made/here",
        volume.resolve("name"),
        Path.of(temp.toString(), "outside"));
  }

  @Test
  void cve2019_19921_procIsNotMountedOverALink() throws IOException {
    Files.delete(bundle.rootfs().resolve("proc"));
    Files.createDirectories(bundle.rootfs().resolve("elsewhere/proc"));
    Files.createSymbolicLink(bundle.rootfs().resolve("proc"), Path.of("/elsewhere/proc"));
    config.args("true");
    onBundle("run").run().failsInOneLine("proc");
    assertThat(ids()).isEmpty();
  }

  @Test
  void cve2019_16884_nothingIsMountedOverProc() throws IOException {
    Path fake = Files.createDirectories(temp.resolve("fake"));
    for (String destination : List.of("/proc", "/proc/self", "/proc/sys/kernel", "/proc/1/attr")) {
      Config original = config.copy();
      config.mount(
          "{destination:'%s',type:'bind',source:'%s',options:['bind']}"
              .formatted(destination, fake));
      onBundle("run").run().failsInOneLine("/proc");
      config = original;
      id = newId();
    }
  }

  /// The config with /dev as the image has it.
  private void devOfTheImage() {
    config.set("/mounts", "[{destination:'/proc',type:'proc',source:'proc'}]");
  }

  @Test
  void cve2025_31133_maskingIsRefusedWhereNullIsNotTheDevice() throws IOException {
    Path secret = Files.writeString(bundle.rootfs().resolve("etc/secret"), "secret");
    Path nothing = bundle.rootfs().resolve("dev/null");
    devOfTheImage();
    config.sh("wc -c < /proc/kcore");
    for (String kind : List.of("link", "file", "directory")) {
      remove(nothing);
      switch (kind) {
        case "link" -> Files.createSymbolicLink(nothing, Path.of("/etc/secret"));
        case "file" -> Files.writeString(nothing, "content");
        default -> Files.createDirectory(nothing);
      }
      onBundle("run").run().failsInOneLine();
      assertThat(secret).hasContent("secret");
      id = newId();
    }
    remove(nothing);
  }

  @Test
  void cve2025_52565_aConsoleIsNotMadeFromWhatIsNoMultiplexer() throws Exception {
    devOfTheImage();
    config.set("/process/terminal", "true").args("true");
    Files.createDirectories(bundle.rootfs().resolve("dev/pts"));
    Path multiplexer = bundle.rootfs().resolve("dev/pts/ptmx");
    for (String kind : List.of("file", "link", "zero")) {
      remove(multiplexer);
      switch (kind) {
        case "file" -> Files.writeString(multiplexer, "");
        case "link" -> Files.createSymbolicLink(multiplexer, Path.of("/etc/passwd"));
        default -> Command.of("mknod", multiplexer.toString(), "c", "1", "5").run().succeeds();
      }
      Outcome outcome =
          onBundle("create", "--console-socket", temp.resolve("none.sock").toString()).run();
      outcome.failsInOneLine();
      assertThat(ids()).isEmpty();
      id = newId();
    }
  }

  @Test
  void cve2025_52565_theConsolesPlaceIsMadeInTheRootOnly() throws Exception {
    Path outside = temp.resolve("console-outside");
    devOfTheImage();
    config.mount("{destination:'/dev/pts',type:'devpts',source:'devpts',options:['newinstance']}");
    config.set("/process/terminal", "true").args("true");
    Files.createDirectories(bundle.rootfs().resolve("dev/pts"));
    Files.createSymbolicLink(bundle.rootfs().resolve("dev/console"), outside);
    onBundle("create", "--console-socket", temp.resolve("none.sock").toString()).run().fails();
    assertThat(outside).doesNotExist();
    assertThat(ids()).isEmpty();
  }

  @Test
  void cve2025_52881_aSysctlIsNotWrittenToWhatTheImageCallsProc() throws IOException {
    Path fake = Files.createDirectories(bundle.rootfs().resolve("proc/sys/net/ipv4"));
    Path file = Files.writeString(fake.resolve("ip_forward"), "untouched");
    Path self = Files.createDirectories(bundle.rootfs().resolve("proc/self/attr"));
    Files.writeString(self.resolve("exec"), "untouched");
    Files.writeString(self.resolveSibling("oom_score_adj"), "untouched");
    config.set("/linux/sysctl", "{'net.ipv4.ip_forward':'1'}");
    config.set("/process/oomScoreAdj", "100");
    config.sh("cat /proc/sys/net/ipv4/ip_forward");
    assertThat(run().succeeds().text()).isEqualTo("1");
    assertThat(file).hasContent("untouched");
    // and without any procfs of its own
    id = newId();
    config.set("/mounts", "[]").set("/linux/maskedPaths", "[]").set("/linux/readonlyPaths", "[]");
    assertThat(run().succeeds().text()).isEqualTo("untouched");
    assertThat(file).hasContent("untouched");
    assertThat(self.resolve("exec")).hasContent("untouched");
    assertThat(self.resolveSibling("oom_score_adj")).hasContent("untouched");
  }

  /// The attacker's volume is mounted first, and the image's /proc leads into it.
  @Test
  void cve2023_27561_procIsNotMountedOverALinkIntoAVolume() throws IOException {
    Path volume = Files.createDirectories(temp.resolve("volume/proc"));
    Files.createDirectories(volume.resolve("self/attr"));
    Files.delete(bundle.rootfs().resolve("proc"));
    Files.createSymbolicLink(bundle.rootfs().resolve("proc"), Path.of("/mnt/proc"));
    config.set(
        "/mounts",
        "[{destination:'/mnt',type:'bind',source:'%s',options:['bind']},{destination:'/proc',type:'proc',source:'proc'}]"
            .formatted(volume.getParent()));
    onBundle("run").run().fails();
    assertThat(ids()).isEmpty();
    try (Stream<Path> made = Files.list(volume.resolve("self/attr"))) {
      assertThat(made).isEmpty();
    }
  }

  /// Where /proc is a link into what the attacker prepared, what is written of a process or for the
  /// kernel must not land there. No test machine has the security module of the advisory: limits of
  /// the process and sysctls go the same way.
  @Test
  void cve2023_28642_whatIsWrittenUnderProcIsNotTheAttackers() throws IOException {
    Path volume = Files.createDirectories(temp.resolve("volume"));
    List<Path> prepared =
        List.of(
            volume.resolve("self/attr/exec"),
            volume.resolve("self/attr/apparmor/exec"),
            volume.resolve("self/oom_score_adj"),
            volume.resolve("sys/kernel/domainname"),
            volume.resolve("sys/net/ipv4/ip_forward"));
    for (Path file : prepared) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, "untouched");
    }
    Files.delete(bundle.rootfs().resolve("proc"));
    Files.createSymbolicLink(bundle.rootfs().resolve("proc"), Path.of("mnt"));
    config
        .set("/linux/maskedPaths", "[]")
        .set("/linux/readonlyPaths", "[]")
        .set("/process/oomScoreAdj", "77")
        .set("/linux/sysctl", "{'net.ipv4.ip_forward':'1','kernel.domainname':'real'}")
        .set(
            "/mounts",
            "[{destination:'/mnt',type:'bind',source:'%s',options:['bind']},{destination:'/other',type:'proc',source:'proc'}]"
                .formatted(volume))
        .sh(
            "cat /other/sys/net/ipv4/ip_forward /other/sys/kernel/domainname /other/self/oom_score_adj");
    Outcome outcome = onBundle("run").run();
    if (outcome.status() == 0) assertThat(outcome.lines()).containsExactly("1", "real", "77");
    assertThat(ids()).isEmpty();
    for (Path file : prepared) assertThat(file).hasContent("untouched");
  }

  @Test
  void cve2025_52881_aSysctlUnderALinkIsNotFollowed() throws IOException {
    config.set("/linux/sysctl", "{'net.ipv4.../../../../sysrq-trigger':'h'}");
    onBundle("run").run().fails();
    assertThat(ids()).isEmpty();
  }
}
