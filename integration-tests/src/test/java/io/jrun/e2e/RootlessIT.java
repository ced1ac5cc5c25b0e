package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/// An ordinary user without any privilege: `spec --rootless`, then everything.
@ResourceLock("/etc/subuid")
class RootlessIT extends EndToEnd {
  private static final int UID = 54_321;
  private static final int GID = 54_322;

  private Path runtimeDirectory() {
    return temp.resolve("run");
  }

  @BeforeEach
  void makeTheUsersBundle() throws IOException {
    Files.createDirectory(runtimeDirectory());
    Files.setPosixFilePermissions(runtimeDirectory(), PosixFilePermissions.fromString("rwx------"));
    Files.delete(bundle.path().resolve("config.json"));
    chownAll();
    user("spec", "--rootless", "--bundle", bundle.path().toString()).run().succeeds();
    config = Config.read(bundle.path().resolve("config.json"));
    config.set("/process/terminal", "false").env("E2E_TAG=" + tag).args("true");
  }

  private void chownAll() {
    Command.of("chown", "-hR", UID + ":" + GID, temp.toString()).run().succeeds();
  }

  @AfterEach
  void deleteAndStopTheUsersEngine() throws IOException {
    for (String left : user("list", "-q").run().lines()) {
      if (!left.isBlank()) user("delete", "--force", left).run();
    }
    if (RUNTIME.isJrun()) user("engine", "stop").run();
  }

  @Test
  @JrunOnly
  void theUsersEngineIsNotRootsToRestart() throws IOException {
    user("--version").run().succeeds();
    String before = user("engine", "status").run().succeeds().out();
    runtime("engine", "restart").succeeds();
    assertThat(pidLine(user("engine", "status").run().succeeds().out())).isEqualTo(pidLine(before));
    user("engine", "restart").run().succeeds();
  }

  private static String pidLine(String status) {
    return status.lines().filter(line -> line.startsWith("pid:")).findFirst().orElseThrow();
  }

  /// A command of the user, in a group of its own and no other.
  private Command user(String... arguments) throws IOException {
    return asUser(command(arguments));
  }

  private Command asUser(Command command) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "setpriv",
                "--reuid=" + UID,
                "--regid=" + GID,
                "--clear-groups",
                "--bounding-set=-all",
                "env",
                "-u",
                "HOME"));
    words.addAll(command.words());
    return Command.of(words)
        .with("XDG_RUNTIME_DIR", runtimeDirectory().toString())
        .in(Path.of("/"));
  }

  private Command userOnBundle(String command, String... flags) throws IOException {
    bundle.write(config);
    chownAll();
    return asUser(onBundle(command, flags));
  }

  private Outcome runAsUser(String script) throws IOException {
    config.sh(script);
    return userOnBundle("run").run();
  }

  @Test
  void theTemplateMapsTheUserAndRuns() throws IOException {
    assertThat(config.at("/linux/uidMappings/0/hostID").asInt()).isEqualTo(UID);
    assertThat(config.at("/linux/gidMappings/0/hostID").asInt()).isEqualTo(GID);
    Outcome outcome =
        runAsUser(
                "id -u; tr -s ' ' < /proc/self/uid_map; cat /proc/self/setgroups; hostname; exit 3")
            .exits(3);
    assertThat(outcome.lines().stream().map(String::strip)).startsWith("0", "0 54321 1", "deny");
  }

  @Test
  void theWholeLifecycle() throws IOException {
    config.args("sleep", "1000");
    Path pidFile = runtimeDirectory().resolve("pid");
    userOnBundle("create", "--pid-file", pidFile.toString()).run().succeeds();
    assertThat(user("state", id).run().succeeds().out()).contains("\"created\"");
    user("start", id).run().succeeds();
    assertThat(user("state", id).run().succeeds().out()).contains("\"running\"");
    assertThat(user("list").run().succeeds().out()).contains(id).contains("running");
    long pid = Long.parseLong(Files.readString(pidFile));
    assertThat(Files.getAttribute(Path.of("/proc", String.valueOf(pid)), "unix:uid"))
        .isEqualTo(UID);
    assertThat(
            user("exec", id, "sh", "-c", "id -u; ps -o args | grep -c ^sleep")
                .run()
                .succeeds()
                .lines())
        .containsExactly("0", "1");
    user("exec", id, "sh", "-c", "exit 7").run().exits(7);
    user("kill", id, "KILL").run().succeeds();
    assertThat(eventually(() -> stopped())).isTrue();
    user("delete", id).run().succeeds();
    assertThat(user("list", "-q").run().out()).isBlank();
  }

  @Test
  @JrunOnly
  void killReachesInitWhereNoCgroupTellsTheOthers() throws IOException {
    config.sh("trap 'exit 3' USR1; echo ready > ready; while :; do sleep 0.05; done");
    config
        .namespaces("user", "mount", "ipc", "uts")
        .set("/root/readonly", "false")
        .set("/mounts/0", "{destination:'/proc',source:'/proc',options:['rbind']}");
    for (List<String> words :
        List.of(List.of("KILL"), List.of("KILL", "-a"), List.of("USR1", "-a"))) {
      id = newId();
      Path ready = bundle.path().resolve("rootfs/ready");
      Files.deleteIfExists(ready);
      userOnBundle("create").run().succeeds();
      user("start", id).run().succeeds();
      assertThat(eventually(() -> Files.exists(ready))).isTrue();
      List<String> kill = new ArrayList<>(List.of("kill", id));
      kill.addAll(words);
      user(kill.toArray(String[]::new)).run().succeeds();
      assertThat(eventually(() -> stopped())).as("after %s", kill).isTrue();
    }
  }

  private boolean stopped() {
    try {
      return user("state", id).run().out().contains("\"stopped\"");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /// Gives the user a directory in every hierarchy, with a process of its own in it, as a session
  /// manager does.
  private List<Path> delegate() throws IOException {
    List<Path> made = new ArrayList<>();
    for (Path hierarchy : CgroupHierarchies.mountPoints()) {
      Path top = Files.createDirectory(hierarchy.resolve(tag));
      made.add(top);
      for (Path directory : List.of(top, top.resolve("session"))) {
        if (!Files.exists(directory)) Files.createDirectory(directory);
        for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
          // a new cpuset of cgroup v1 is empty, and takes no process then
          if (Files.exists(hierarchy.resolve(file)))
            Files.writeString(directory.resolve(file), Files.readString(hierarchy.resolve(file)));
        }
      }
      Command.of("chown", "-R", UID + ":" + GID, top.toString()).run().succeeds();
    }
    return made;
  }

  @Test
  void delegatedCgroupsAreUsed() throws IOException {
    config
        .namespaces("user", "pid", "mount", "ipc", "uts")
        .setText("/linux/cgroupsPath", "/" + tag + "/" + tag + "-c")
        .set("/linux/resources", "{pids:{limit:17}}")
        .sh("cat /proc/self/cgroup; sleep 0.1");
    List<Path> made = delegate();
    try {
      StringBuilder script = new StringBuilder();
      for (Path directory : made)
        script.append("echo $$ > ").append(directory).append("/session/cgroup.procs; ");
      List<String> words = new ArrayList<>(List.of("sh", "-ec", script + "exec \"$@\"", "sh"));
      Command run = userOnBundle("run");
      words.addAll(run.words());
      Outcome outcome = new Command(words, run.environment(), null, Path.of("/")).run().succeeds();
      assertThat(outcome.lines())
          .filteredOn(line -> line.contains(":pids:") || line.startsWith("0::"))
          .isNotEmpty()
          .allMatch(line -> line.endsWith("/" + tag + "/" + tag + "-c"));
    } finally {
      for (Path directory : made) {
        Files.deleteIfExists(directory.resolve("session"));
        Files.deleteIfExists(directory);
      }
    }
  }

  /// The user owns the cgroup on the host, so that only the mount keeps the container from it.
  @Test
  void cve2023_25809_theCallersCgroupsAreNotWritable() throws IOException {
    config
        .namespaces("user", "pid", "mount", "ipc", "uts")
        .setText("/linux/cgroupsPath", "/" + tag + "/" + tag + "-c")
        .sh(
            "for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/evil 2> /dev/null && echo made $d;"
                + " (echo $$ > $d/cgroup.procs) 2> /dev/null && echo moved $d; done;"
                + " find /sys/fs/cgroup -name evil; true");
    List<Path> made = delegate();
    try {
      StringBuilder script = new StringBuilder();
      for (Path directory : made)
        script.append("echo $$ > ").append(directory).append("/session/cgroup.procs; ");
      List<String> words = new ArrayList<>(List.of("sh", "-ec", script + "exec \"$@\"", "sh"));
      Command run = userOnBundle("run");
      words.addAll(run.words());
      assertThat(new Command(words, run.environment(), null, Path.of("/")).run().succeeds().out())
          .isEmpty();
      for (Path directory : made) assertThat(directory.resolve("evil")).doesNotExist();
    } finally {
      for (Path directory : made) {
        Files.deleteIfExists(directory.resolve("session"));
        Files.deleteIfExists(directory);
      }
    }
  }

  @Test
  void limitsThatCannotBeSetAreAnError() throws IOException {
    config.set("/linux/resources", "{pids:{limit:10}}");
    assertThat(userOnBundle("run").run().fails().err()).contains("cgroup");
  }

  @Test
  void ownGroupsOnlyWithoutHelp() throws IOException {
    config.set("/process/user", "{uid:0,gid:0,additionalGids:[5]}");
    userOnBundle("run").run().fails();
  }

  @Test
  void aUserNamespaceIsNeeded() throws IOException {
    config
        .namespaces("pid", "mount")
        .remove("/linux", "uidMappings")
        .remove("/linux", "gidMappings")
        .remove("", "hostname");
    assertThat(userOnBundle("run").run().exits(1).err())
        .contains("rootless container requires user namespaces");
  }

  @Test
  @JrunOnly
  void withoutARuntimeDirectoryTheStateIsInTmp() throws IOException {
    userOnBundle("run");
    List<String> words = new ArrayList<>(userOnBundle("run").words());
    int root = words.indexOf("--root");
    words.remove(root);
    words.remove(root);
    words.addAll(8, List.of("-u", "XDG_RUNTIME_DIR", "JRUN_ENGINE=off"));
    Command.of(words).run().succeeds();
    assertThat(Path.of("/tmp/jrun-" + UID)).isEmptyDirectory();
    Files.delete(Path.of("/tmp/jrun-" + UID));
  }

  @Test
  void moreIdsThroughNewuidmap() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/newuidmap")), "newuidmap is not installed");
    Path subuid = Path.of("/etc/subuid");
    Path subgid = Path.of("/etc/subgid");
    Path passwd = Path.of("/etc/passwd");
    List<Path> files = List.of(subuid, subgid, passwd);
    List<byte[]> before = new ArrayList<>();
    for (Path file : files) before.add(Files.exists(file) ? Files.readAllBytes(file) : new byte[0]);
    try {
      // newuidmap knows users by name
      append(passwd, "e2erootless:x:" + UID + ":" + GID + "::/:/bin/sh\n");
      append(subuid, "e2erootless:300000:1000\n");
      append(subgid, "e2erootless:300000:1000\n");
      config
          .set("/linux/uidMappings/-", "{containerID:1,hostID:300000,size:1000}")
          .set("/linux/gidMappings/-", "{containerID:1,hostID:300000,size:1000}")
          .set("/process/user", "{uid:10,gid:11}");
      // runc refuses them to all who are not root
      if (RUNTIME.isJrun()) config.set("/process/user/additionalGids", "[12]");
      List<String> words = new ArrayList<>(userOnBundle("run").words());
      config.sh("id");
      bundle.write(config);
      // newuidmap is set-user-id, which needs its capabilities in the bounding set
      words.remove("--bounding-set=-all");
      Outcome outcome =
          Command.of(words).with("XDG_RUNTIME_DIR", runtimeDirectory().toString()).run().succeeds();
      assertThat(outcome.text()).contains("uid=10").contains("gid=11");
      if (RUNTIME.isJrun()) assertThat(outcome.text()).contains("12");
    } finally {
      for (int i = 0; i < files.size(); i++) Files.write(files.get(i), before.get(i));
    }
  }

  private static void append(Path file, String line) throws IOException {
    Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
