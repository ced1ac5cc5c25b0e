package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// User namespaces that root makes or joins, and what belongs to them.
class UserNamespaceIT extends EndToEnd {
  private static final int BASE = 200_000;

  @BeforeEach
  void mapIds() throws IOException {
    config
        .namespaces("pid", "network", "ipc", "uts", "mount", "user")
        .set("/linux/uidMappings", "[{containerID:0,hostID:%d,size:65536}]".formatted(BASE))
        .set("/linux/gidMappings", "[{containerID:0,hostID:%d,size:65536}]".formatted(BASE + 7));
    for (Path path = bundle.rootfs(); path != null; path = path.getParent())
      assertThat(Files.isReadable(path)).isTrue();
    chown(bundle.rootfs());
  }

  private static void chown(Path tree) {
    Command.of("chown", "-hR", BASE + ":" + (BASE + 7), tree.toString()).run().succeeds();
  }

  @Test
  void idsAreMapped() throws IOException {
    Outcome outcome =
        runSh(
                "readlink /proc/self/ns/user; tr -s ' ' < /proc/self/uid_map; tr -s ' ' < /proc/self/gid_map; id -u; cat /proc/self/setgroups")
            .succeeds();
    assertThat(outcome.lines().getFirst())
        .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/user")).toString());
    assertThat(outcome.lines().stream().map(String::strip).toList().subList(1, 5))
        .containsExactly("0 200000 65536", "0 200007 65536", "0", "allow");
  }

  @Test
  void theProgramRunsAsTheMappedUserOnTheHost() throws IOException {
    config.set("/process/user", "{uid:5,gid:6,additionalGids:[9]}");
    long pid = startSleeper();
    List<String> status = Files.readAllLines(Path.of("/proc", String.valueOf(pid), "status"));
    assertThat(status)
        .anyMatch(line -> line.matches("Uid:\\s+200005\\s+200005\\s.*"))
        .anyMatch(line -> line.matches("Gid:\\s+200013\\s+200013\\s.*"))
        .anyMatch(line -> line.matches("Groups:\\s+200016\\s*"));
    killAndDelete();
  }

  /// An ioctl_ns(2) tells the owner; being able to change what the namespace holds shows it too.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "hostname inside && test $(hostname) = inside",
        "ip link set lo down && ip link set lo up",
        "mount -t tmpfs none /tmp && umount /tmp"
      })
  void otherNamespacesBelongToIt(String script) throws IOException {
    config.capabilities("CAP_SYS_ADMIN", "CAP_NET_ADMIN");
    runSh(script).succeeds();
  }

  @Test
  void devicesWork() throws IOException {
    assertThat(
            runSh(
                    "echo x > /dev/null && head -c 4 /dev/zero | wc -c; test -c /dev/full && ls -l /dev/fd")
                .succeeds()
                .lines()
                .getFirst())
        .isEqualTo("4");
  }

  @Test
  void filesMadeInsideBelongToTheMappedUser() throws IOException {
    config.writableRoot();
    runSh("touch /made; touch /dev/shm/x && stat -c %u:%g /dev/shm/x").succeeds();
    assertThat(Files.getAttribute(bundle.rootfs().resolve("made"), "unix:uid")).isEqualTo(BASE);
  }

  /// As the directories of a daemon's pods are.
  @Test
  void sourcesThatOnlyTheHostsRootReachesAreBound() throws IOException {
    RUNTIME.assumeRecent("sources opened from outside of a user namespace");
    Path closed = Files.createDirectory(temp.resolve("closed"));
    Path directory = Files.createDirectories(closed.resolve("directory"));
    Files.writeString(directory.resolve("file"), "reached");
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    for (String[] bind : new String[][] {{"/mnt", ""}, {"/tmp/file", "/file"}})
      config.mount(
          "{destination:'%s',type:'bind',source:'%s',options:['rbind','ro']}"
              .formatted(bind[0], directory + bind[1]));
    assertThat(runSh("cat /mnt/file; cat /tmp/file").succeeds().out()).isEqualTo("reachedreached");
  }

  @Test
  void moreSourcesThanOneMessageCarries() throws IOException {
    RUNTIME.assumeRecent("sources opened from outside of a user namespace");
    Path directory = Files.createDirectory(temp.resolve("many"));
    for (int i = 0; i < 150; i++) {
      Files.writeString(directory.resolve("f" + i), "x");
      config.mount(
          "{destination:'/tmp/f%d',type:'bind',source:'%s',options:['bind']}"
              .formatted(i, directory.resolve("f" + i)));
    }
    assertThat(runSh("cat /tmp/f* | wc -c").succeeds().text()).isEqualTo("150");
  }

  @Test
  void execJoins() throws IOException {
    startSleeper();
    assertThat(
            execSh(
                    "test $(readlink /proc/1/ns/user) = $(readlink /proc/self/ns/user) && echo same; id -u; tr -s ' ' < /proc/self/uid_map; ps -o args | grep -c ^sleep")
                .succeeds()
                .lines()
                .stream()
                .map(String::strip))
        .containsExactly("same", "0", "0 200000 65536", "1");
    assertThat(runtime("exec", "--user", "5:6", id, "id", "-u").succeeds().text()).isEqualTo("5");
    killAndDelete();
  }

  @Test
  void execWorksBeforeStart() throws IOException {
    config.args("sleep", "1000");
    create();
    assertThat(execSh("id -u").succeeds().text()).isEqualTo("0");
    runtime("start", id).succeeds();
    killAndDelete();
  }

  @Test
  void aNamespaceIsJoinedByPathWithWhatItOwns() throws IOException {
    RUNTIME.assumeRecent("joined user namespaces without mappings");
    long pid = startSleeper();
    String first = id;
    id = newId();
    config
        .set(
            "/linux/namespaces",
            ("[{type:'mount'},{type:'pid'},{type:'uts'},{type:'network',path:'/proc/%d/ns/net'},"
                    + "{type:'ipc',path:'/proc/%d/ns/ipc'},{type:'user',path:'/proc/%d/ns/user'}]")
                .formatted(pid, pid, pid))
        .remove("/linux", "uidMappings")
        .remove("/linux", "gidMappings");
    Outcome outcome =
        runSh("readlink /proc/self/ns/user; readlink /proc/self/ns/net; id -u").succeeds();
    for (String name : List.of("user", "net"))
      assertThat(outcome.out())
          .contains(
              Files.readSymbolicLink(Path.of("/proc", String.valueOf(pid), "ns", name)).toString());
    assertThat(outcome.lines().get(2)).isEqualTo("0");
    runtime("delete", "--force", first).succeeds();
  }

  @Test
  void aHostsNamespaceIsJoinedBeforeTheUserNamespaceIsMade() throws IOException {
    config.set(
        "/linux/namespaces",
        "[{type:'mount'},{type:'pid'},{type:'ipc'},{type:'user'},"
            + "{type:'uts',path:'/proc/self/ns/uts'},{type:'network',path:'/proc/self/ns/net'}]");
    config.set(
        "/mounts/5", "{destination:'/sys',type:'none',source:'/sys',options:['rbind','ro']}");
    config.remove("", "hostname").remove("/linux", "readonlyPaths");
    String host = Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
    assertThat(runSh("readlink /proc/self/ns/net").succeeds().text()).isEqualTo(host);
    startSleeper();
    assertThat(execSh("readlink /proc/self/ns/net").succeeds().text()).isEqualTo(host);
    killAndDelete();
  }

  @Test
  void aTerminalBelongsToTheUser() throws IOException {
    config.set("/process/user", "{uid:5,gid:6}").set("/process/terminal", "true");
    config.sh("stat -c %u $(tty); echo x > /dev/tty");
    bundle.write(config);
    Outcome outcome =
        Command.of("script", "-qec", String.join(" ", onBundle("run").words()), "/dev/null")
            .run()
            .succeeds();
    assertThat(outcome.text().replaceAll("\0|\\^@", "")).startsWith("5");
  }

  @Test
  void theOomScoreIsSet() throws IOException {
    config.set("/process/oomScoreAdj", "500");
    assertThat(runSh("cat /proc/self/oom_score_adj").succeeds().text()).isEqualTo("500");
  }

  @Test
  void hooksInTheContainersNamespaces() throws IOException {
    Path out = Files.createDirectory(temp.resolve("out"));
    chown(out);
    config.set(
        "/hooks/createContainer/-",
        "{path:'/bin/sh',args:['sh','-c','id -u > %s/id']}".formatted(out));
    config.args("true");
    run().succeeds();
    assertThat(Files.readString(out.resolve("id")).strip()).isEqualTo("0");
  }

  @Test
  @JrunOnly // runc does not say which
  void mappingsThatOverlapAreToldByName() throws IOException {
    config.set(
        "/linux/uidMappings",
        "[{containerID:0,hostID:%1$d,size:9},{containerID:5,hostID:%1$d,size:9}]".formatted(BASE));
    run().failsInOneLine("mapping ids by uid_map");
  }

  @Test
  void mappingsAreNeeded() throws IOException {
    config.remove("/linux", "uidMappings");
    run().exits(1);
  }

  @JrunOnly
  @Test
  void aMappingThatTheKernelRefusesIsWhatIsTold() throws IOException {
    config.set(
        "/linux/uidMappings",
        "[{containerID:0,hostID:0,size:10},{containerID:5,hostID:100,size:10}]");
    assertThat(run().failsInOneLine("EINVAL").err()).doesNotContain("cgroup");
  }
}
