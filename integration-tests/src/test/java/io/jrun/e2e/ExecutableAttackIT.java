package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A container that reaches for the program which joins it or becomes its init.
class ExecutableAttackIT extends EndToEnd {
  private static final int EXECS = 60;

  /// Everything that /proc offers of every process, again and again: opens each executable for
  /// writing, appends to it, and writes down what it was.
  private static final String ATTACK =
      """
      echo started > /tmp/started
      while [ ! -e /tmp/stop ]; do
        for p in /proc/[0-9]*; do
          e=$(readlink $p/exe) && echo "$e" >> /tmp/seen
          case "$e" in *busybox*) continue;; esac
          { echo owned >> $p/exe; } 2>/dev/null && echo "$e" >> /tmp/written
          { cp $p/exe /tmp/copy; } 2>/dev/null && echo "$e" >> /tmp/copied
          for f in $p/fd/*; do
            t=$(readlink $f) || continue
            case "$t" in
              *jrun*) { echo owned >> $f; } 2>/dev/null && echo "$t" >> /tmp/written;;
            esac
          done
        done
      done
      echo done
      """;

  private static String hash(Path file) throws IOException {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<String> lines(String name) throws IOException {
    Path file = bundle.rootfs().resolve("tmp").resolve(name);
    return Files.exists(file) ? Files.readAllLines(file).stream().distinct().toList() : List.of();
  }

  @Test
  void cve2019_5736_execIntoAHostileContainerGivesNoExecutableAway() throws IOException {
    String before = hash(RUNTIME.path());
    config.writableRoot().sh(ATTACK);
    createAndStart();
    assertThat(eventually(() -> Files.exists(bundle.rootfs().resolve("tmp/started")))).isTrue();
    for (int i = 0; i < EXECS; i++) runtime("exec", id, "true").exits(0);
    Files.writeString(bundle.rootfs().resolve("tmp/stop"), "");
    awaitStatus("stopped");
    runtime("delete", id).succeeds();
    assertThat(lines("seen")).as("the attack looked").isNotEmpty();
    assertThat(lines("written")).as("executables that could be written to").isEmpty();
    assertThat(lines("seen"))
        .as("executables of the host")
        .allMatch(exe -> exe.equals("/bin/busybox") || exe.startsWith("/memfd:"));
    assertThat(hash(RUNTIME.path())).isEqualTo(before);
    run().succeeds();
  }

  @Test
  void cve2019_5736_anInitThatIsItsOwnExecutableReachesNothingOfTheHost() throws IOException {
    String before = hash(RUNTIME.path());
    Path link = bundle.rootfs().resolve("bin/again");
    Files.createSymbolicLink(link, Path.of("/proc/self/exe"));
    Files.writeString(bundle.rootfs().resolve("bin/script"), "#!/proc/self/exe\n");
    bundle.rootfs().resolve("bin/script").toFile().setExecutable(true, false);
    for (String program : List.of("/proc/self/exe", "/bin/again", "/bin/script")) {
      config.writableRoot().args(program, "state", "x");
      run();
      assertThat(hash(RUNTIME.path())).as(program).isEqualTo(before);
      id = newId();
    }
    config.args("sleep", "1000");
    createAndStart();
    for (String program : List.of("/proc/self/exe", "/bin/again", "/bin/script")) {
      runtime("exec", id, program, "state", "x");
      assertThat(hash(RUNTIME.path())).as(program).isEqualTo(before);
    }
    killAndDelete();
  }

  /// A container whose init waits to be started shares the pid namespace of one that looks for it,
  /// keeps what it finds open, and writes to it when nobody executes it any more.
  private List<String> reachForAWaitingInit() throws IOException {
    long attacker = startSleeper();
    String attackers = id;
    id = newId();
    config
        .namespaces("network", "ipc", "uts", "mount")
        .set(
            "/linux/namespaces",
            "[{type:'pid',path:'/proc/%d/ns/pid'},{type:'mount'}]".formatted(attacker))
        .remove("", "hostname");
    create();
    Outcome outcome =
        runtime(
            "exec",
            attackers,
            "sh",
            "-c",
            """
            for p in /proc/[0-9]*; do
              e=$(readlink $p/exe 2> /dev/null) || { echo hidden; continue; }
              case "$e" in *busybox*) continue;; esac
              echo "seen $e"
              exec 5< $p/exe
              kill -9 ${p#/proc/}
              while [ -e $p/exe ]; do sleep 0.05; done
              echo owned 2> /dev/null >> /proc/self/fd/5 && echo written
            done
            true
            """);
    runtime("delete", "--force", id).succeeds();
    runtime("delete", "--force", attackers).succeeds();
    return outcome.succeeds().lines();
  }

  @Test
  void cve2016_9962_aWaitingInitIsHidden() throws IOException {
    config.capabilities("CAP_KILL");
    assertThat(reachForAWaitingInit()).containsExactly("hidden");
  }

  @JrunOnly
  @Test
  void cve2019_5736_aWaitingInitThatIsSeenIsOfNoUse() throws IOException {
    config.capabilities(
        "CAP_KILL", "CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN");
    assertThat(reachForAWaitingInit()).containsExactly("seen /memfd:jrun (deleted)");
    run();
  }

  @Test
  void cve2022_29162_noProcessInheritsCapabilities() throws IOException {
    assertThat(runSh("grep CapInh /proc/self/status").succeeds().text())
        .isEqualTo("CapInh:\t0000000000000000");
    id = newId();
    startSleeper();
    assertThat(execSh("grep CapInh /proc/self/status").text())
        .isEqualTo("CapInh:\t0000000000000000");
    assertThat(
            runtime("exec", "--cap", "CAP_NET_RAW", id, "sh", "-c", "grep CapInh /proc/self/status")
                .succeeds()
                .text())
        .isEqualTo("CapInh:\t0000000000000000");
    killAndDelete();
  }
}
