package io.jrun.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Mounts whose destination, or what they are made with, is somebody else's to change.
class MountAttackIT extends EndToEnd {
  /// How long a race is tried: `-Djrun.race.seconds`.
  private static final long SECONDS = Long.getLong("jrun.race.seconds", 2);

  /// Exchanges a directory and a symbolic link under one name, as fast as it can, until its
  /// standard input ends; says how often.
  private static final String EXCHANGE =
      """
      import ctypes, os, select, sys
      renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
      name, other = (path.encode() for path in sys.argv[1:])
      swaps = 0
      while not select.select([0], [], [], 0)[0]:
          for i in range(100):
              if renameat2(-100, name, -100, other, 2): sys.exit("exchange: %d" % ctypes.get_errno())
              swaps += 1
      print(swaps)
      """;

  private List<String> hostMounts() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.contains(tag) || line.contains("racer"))
        .toList();
  }

  /// Runs a container again and again whose mount's destination becomes a link and a directory
  /// again meanwhile. Where it is mounted at all, the container must see it.
  ///
  /// @param name the exchanged part of the destination
  /// @param target of the link
  /// @param wrong says in a shell's words that the mount is where it must not be
  private void race(String mount, Path name, Path target, String wrong) throws Exception {
    Path outside = Files.createDirectories(temp.resolve("outside"));
    Path link = name.resolveSibling("link");
    Files.createDirectories(name);
    Files.createSymbolicLink(link, target);
    int runs = 0;
    int mounted = 0;
    long end = System.nanoTime() + SECONDS * 1_000_000_000;
    config.mount(mount);
    config.sh("if %s; then echo WRONG; fi".formatted(wrong));
    Process racing =
        new ProcessBuilder("python3", "-c", EXCHANGE, name.toString(), link.toString()).start();
    try {
      while (System.nanoTime() < end || runs < 20) {
        id = newId();
        Outcome outcome = run();
        runs++;
        if (outcome.status() == 0) mounted++;
        else assertThat(outcome.err().lines().toList()).as("%s", outcome).hasSizeLessThan(2);
        assertThat(outcome.out()).as("after %d runs", runs).doesNotContain("WRONG");
        try (Stream<Path> made = Files.list(outside)) {
          assertThat(made.toList()).as("made outside of the root").isEmpty();
        }
      }
    } finally {
      racing.getOutputStream().close();
      racing.waitFor();
      remove(Objects.requireNonNull(name.getParent()));
    }
    String swaps = new String(racing.getInputStream().readAllBytes(), UTF_8).strip();
    System.out.printf("race: %d runs, %d mounted, %s swaps%n", runs, mounted, swaps);
    assertThat(hostMounts()).isEmpty();
    assertThat(Integer.parseInt(swaps)).isGreaterThan(10_000);
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
    Path name = bundle.rootfs().resolve("volume/name");
    race(
        "{destination:'/volume/name',type:'tmpfs',source:'racer'}",
        name,
        Path.of("../../../outside"),
        "! grep -q ' racer ' /proc/self/mountinfo");
  }

  @Test
  void cve2024_45310_aMissingMountPointIsMadeInTheRootOnly() throws Exception {
    Path source = Files.createDirectories(temp.resolve("racer"));
    race(
        "{destination:'/volume/name/made/here',type:'bind',source:'%s',options:['rbind']}"
            .formatted(source),
        bundle.rootfs().resolve("volume/name"),
        temp.resolve("outside"),
        "! grep -q '%s ' /proc/self/mountinfo".formatted(source));
  }

  /// An image's `/dev` that is a link out of the root, with nothing mounted over it.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void cve2026_41579_devicesAndLinksAreMadeInTheRootOnly(boolean isAbsolute) throws IOException {
    Path outside = Files.createDirectories(temp.resolve("outside"));
    Path dev = bundle.rootfs().resolve("dev");
    Files.delete(dev);
    Files.createSymbolicLink(dev, isAbsolute ? outside : Path.of("../../outside"));
    config.set("/mounts", "[{destination:'/proc',type:'proc',source:'proc'}]");
    config.set("/linux/maskedPaths", "[]").set("/linux/readonlyPaths", "[]").writableRoot();
    onBundle("run").run(); // may fail or not
    try (Stream<Path> made = Files.list(outside)) {
      assertThat(made.toList()).as("made outside of the root").isEmpty();
    }
  }

  @Test
  void cve2019_19921_procIsNotMountedOverALink() throws IOException {
    Files.delete(bundle.rootfs().resolve("proc"));
    Files.createDirectories(bundle.rootfs().resolve("elsewhere/proc"));
    Files.createSymbolicLink(bundle.rootfs().resolve("proc"), Path.of("/elsewhere/proc"));
    config.args("true");
    onBundle("run").run().failsInOneLine("proc", "must be mounted on ordinary directory");
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
    // a file that every kernel has
    config.set("/linux/maskedPaths", "['/proc/version']").args("true");
    for (String kind : List.of("link", "file", "directory")) {
      remove(nothing);
      switch (kind) {
        case "link" -> Files.createSymbolicLink(nothing, Path.of("/etc/secret"));
        case "file" -> Files.writeString(nothing, "content");
        default -> Files.createDirectory(nothing);
      }
      // a pipe, as standard input that is the host's /dev/null would be refused for the same reason
      onBundle("run").input("").run().failsInOneLine();
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
    for (String kind : List.of("file", "link", "zero", "multiplexer")) {
      remove(multiplexer);
      switch (kind) {
        case "file" -> Files.writeString(multiplexer, "");
        case "link" -> Files.createSymbolicLink(multiplexer, Path.of("/etc/passwd"));
        case "zero" -> Command.of("mknod", multiplexer.toString(), "c", "1", "5").run().succeeds();
        default -> {
          // one that works, by the devpts beside it, and is not devpts's own
          config.mount(
              "{destination:'/dev/pts/pts',type:'devpts',source:'devpts',options:['newinstance']}");
          Command.of("mknod", multiplexer.toString(), "c", "5", "2").run().succeeds();
        }
      }
      Outcome outcome =
          onBundle("create", "--console-socket", temp.resolve("none.sock").toString()).run();
      outcome.failsInOneLine(
          RUNTIME.isJrun() && kind.equals("multiplexer") ? "not a terminal multiplexer" : "");
      assertThat(ids()).isEmpty();
      id = newId();
    }
  }

  /// A multiplexer that works, and has the number of devpts's own in a file system that is not
  /// devpts.
  @Test
  void cve2025_52565_aConsoleIsNotMadeFromAnotherFileSystem() throws Exception {
    Path other = Files.createDirectory(temp.resolve("other"));
    Command.of("mount", "-t", "tmpfs", "-o", "mode=755", "other", other.toString())
        .run()
        .succeeds();
    try {
      Path multiplexer = other.resolve("ptmx");
      Command.of("mknod", multiplexer.toString(), "c", "5", "2").run().succeeds();
      assertThat(Files.getAttribute(multiplexer, "unix:ino")).isEqualTo(2L);
      Files.createDirectory(other.resolve("pts"));
      devOfTheImage();
      config
          .mount(
              "{destination:'/dev/pts',type:'bind',source:'%s',options:['bind']}".formatted(other))
          .mount(
              "{destination:'/dev/pts/pts',type:'devpts',source:'devpts',options:['newinstance']}")
          .set("/process/terminal", "true")
          .args("true");
      onBundle("create", "--console-socket", temp.resolve("none.sock").toString())
          .run()
          .failsInOneLine(RUNTIME.isJrun() ? "not a terminal multiplexer" : "");
      assertThat(ids()).isEmpty();
    } finally {
      Command.of("umount", other.toString()).run().succeeds();
    }
  }

  @Test
  void cve2025_52565_theConsolesPlaceIsMadeInTheRootOnly() throws Exception {
    Path outside = temp.resolve("console-outside");
    linkConsole(outside);
    onBundle("create", "--console-socket", temp.resolve("none.sock").toString()).run().fails();
    assertThat(outside).doesNotExist();
    assertThat(ids()).isEmpty();
  }

  /// What such a link leads to is not covered either; the link is.
  @Test
  @JrunOnly // others have no terminal where standard input is none
  void cve2025_52565_theConsoleIsNotPutOverAnotherFile() throws Exception {
    linkConsole(Path.of("/etc/passwd"));
    config.args("stat", "-c", "%F", "/etc/passwd", "/dev/console");
    assertThat(run().succeeds().lines()).containsExactly("regular file", "character special file");
  }

  private void linkConsole(Path target) throws IOException {
    devOfTheImage();
    config.mount("{destination:'/dev/pts',type:'devpts',source:'devpts',options:['newinstance']}");
    config.set("/process/terminal", "true").args("true");
    Files.createDirectories(bundle.rootfs().resolve("dev/pts"));
    Files.createSymbolicLink(bundle.rootfs().resolve("dev/console"), target);
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

  /// A volume whose place in the image is a link into /proc.
  @Test
  void cve2019_16884_nothingIsMountedOverProcThroughALink() throws IOException {
    Path fake = Files.createDirectories(temp.resolve("fake"));
    Path volume = bundle.rootfs().resolve("volume");
    for (String target :
        List.of("/proc", "/proc/self/attr", "proc/sys/kernel", "/elsewhere/../proc/1")) {
      Files.createSymbolicLink(volume, Path.of(target));
      for (String mount :
          List.of(
              "{destination:'/volume',type:'bind',source:'%s',options:['bind']}".formatted(fake),
              "{destination:'/volume',type:'tmpfs',source:'tmpfs'}")) {
        Config original = config.copy();
        config.mount(mount);
        onBundle("run").run().failsInOneLine("/proc");
        config = original;
        id = newId();
      }
      Files.delete(volume);
    }
  }

  @Test
  void cve2019_19921_aVolumeThatBecomesALinkIntoProcIsNotMountedThere() throws Exception {
    race(
        "{destination:'/volume/name',type:'tmpfs',source:'racer'}",
        bundle.rootfs().resolve("volume/name"),
        Path.of("/proc/sys/kernel"),
        "! grep ' racer ' /proc/self/mountinfo | grep -qv ' /proc/'");
  }
}
