package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Mounts, as the container's own mountinfo shows them.
class MountsIT extends EndToEnd {

  /// The last mountinfo line of a mount point, printed inside the container.
  private String mountinfo(String target) throws IOException {
    List<String> lines =
        runSh("cat /proc/self/mountinfo").succeeds().lines().stream()
            .filter(line -> line.split(" ")[4].equals(target))
            .toList();
    assertThat(lines).as("mounts on %s", target).isNotEmpty();
    return lines.getLast();
  }

  private Path hostDirectory() throws IOException {
    Path directory = Files.createDirectory(temp.resolve("shared"));
    Files.writeString(directory.resolve("file"), "content\n");
    return directory;
  }

  @Test
  void defaultMounts() throws IOException {
    assertThat(mountinfo("/proc")).contains(" - proc proc rw");
    assertThat(mountinfo("/dev"))
        .contains(" rw,nosuid ")
        .contains(" - tmpfs tmpfs ")
        .contains("size=65536k,mode=755");
    assertThat(mountinfo("/dev/pts"))
        .contains(" rw,nosuid,noexec,relatime ")
        .contains("gid=5,mode=620,ptmxmode=666");
    assertThat(mountinfo("/dev/shm"))
        .contains(" rw,nosuid,nodev,noexec,relatime ")
        .contains(" - tmpfs shm ");
    assertThat(mountinfo("/dev/mqueue"))
        .contains(" rw,nosuid,nodev,noexec,relatime ")
        .contains(" - mqueue mqueue ");
    assertThat(mountinfo("/sys"))
        .contains(" ro,nosuid,nodev,noexec,relatime ")
        .contains(" - sysfs sysfs ");
    assertThat(mountinfo("/sys/fs/cgroup")).contains("nosuid,nodev,noexec,relatime ");
  }

  @Test
  void cgroupMountIsReadOnlyAndOfTheContainer() throws IOException {
    boolean v2 = CgroupHierarchies.isV2Alone();
    String pids = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids";
    String processes = v2 ? "cgroup.procs" : "tasks";
    assertThat(
            runSh("mkdir " + pids + "/x 2>&1; cat " + pids + "/" + processes + " | wc -l").lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("Read-only file system"),
            line -> assertThat(Integer.parseInt(line.strip())).isBetween(1, 3));
  }

  /// As docker's `--cgroupns=host`, and a privileged pod: what runs in it goes by that path.
  @Test
  @Tag("vm")
  void theCallersCgroupNamespaceShowsTheContainerWhereItsPathSays() throws IOException {
    assumeTrue(CgroupHierarchies.isV2Alone(), "v1 is bound, the container's own cgroup alone");
    config.namespaces("pid", "mount", "ipc", "uts", "network");
    assertThat(
            runSh("cat /sys/fs/cgroup$(sed s/0::// /proc/self/cgroup)/cgroup.procs")
                .succeeds()
                .lines())
        .contains("1");
    assertThat(runSh("mkdir /sys/fs/cgroup/x").fails().err()).contains("Read-only");
  }

  @Test
  void bindMountIsTheHostsDirectory() throws IOException {
    Path shared = hostDirectory();
    config.mount(
        "{destination:'/mnt',type:'bind',source:'%s',options:['rbind','rw']}".formatted(shared));
    assertThat(runSh("cat /mnt/file; echo more > /mnt/new").succeeds().text()).isEqualTo("content");
    assertThat(shared.resolve("new")).hasContent("more");
  }

  @Test
  void bindMountReadOnly() throws IOException {
    config.mount(
        "{destination:'/mnt',type:'bind',source:'%s',options:['bind','ro']}"
            .formatted(hostDirectory()));
    assertThat(runSh("echo x > /mnt/new").exits(1).err()).contains("Read-only file system");
    assertThat(mountinfo("/mnt")).contains(" ro,");
  }

  @Test
  void bindMountWithFlags() throws IOException {
    config.mount(
        "{destination:'/mnt',type:'bind',source:'%s',options:['bind','nosuid','nodev','noexec']}"
            .formatted(hostDirectory()));
    assertThat(mountinfo("/mnt")).contains("nosuid,nodev,noexec");
  }

  /// A bind mount of a directory that is mounted with flags: a tmpfs, as the host's root may have
  /// flags of its own (`noatime`).
  private String flagsOf(String source, String options) throws IOException {
    Path directory = hostDirectory();
    Command.of("mount", "-t", "tmpfs", "tmpfs", directory.toString()).run().succeeds();
    try {
      Command.of("mount", "-o", "remount,bind," + source, directory.toString()).run().succeeds();
      config.mount(
          "{destination:'/mnt',type:'bind',source:'%s',options:[%s]}"
              .formatted(directory, options));
      return mountinfo("/mnt").split(" ")[5];
    } finally {
      Command.of("umount", directory.toString()).run().succeeds();
    }
  }

  @Test
  void aBindMountWithoutFlagsKeepsThoseOfItsSource() throws IOException {
    assertThat(flagsOf("ro,nosuid,noexec,nodiratime", "'rbind','rprivate'"))
        .startsWith("ro,nosuid,noexec,nodiratime");
  }

  /// As with mount(8).
  @Test
  void oneWithAFlagHasItAlone() throws IOException {
    assertThat(flagsOf("ro,nosuid,noexec,noatime", "'bind','nodev'")).isEqualTo("rw,nodev,noatime");
  }

  @Test
  void oneThatIsToBeWritableHasNoOthersEither() throws IOException {
    assertThat(flagsOf("ro,nosuid,nodev,noexec", "'bind','rw'")).isEqualTo("rw,relatime");
  }

  /// There the source's are locked.
  @Test
  void inAUserNamespaceItHasThoseOfItsSourceToo() throws IOException {
    RUNTIME.assumeRecent("flags in a user namespace");
    config.set("/linux/namespaces/-", "{type:'user'}");
    for (String ids : List.of("uidMappings", "gidMappings"))
      config.set("/linux/" + ids, "[{containerID:0,hostID:100000,size:65536}]");
    Command.of("chown", "-R", "100000:100000", bundle.rootfs().toString()).run().succeeds();
    assertThat(flagsOf("ro,nosuid,noexec", "'bind','nodev'")).startsWith("ro,nosuid,nodev,noexec");
  }

  @Test
  void bindMountOfOneFile() throws IOException {
    config
        .writableRoot()
        .mount(
            "{destination:'/etc/deep/file',source:'%s',options:['bind']}"
                .formatted(hostDirectory().resolve("file")));
    assertThat(runSh("cat /etc/deep/file").succeeds().text()).isEqualTo("content");
  }

  @Test
  void missingMountPointsAreMade() throws IOException {
    config.mount(
        "{destination:'/a/b/c',type:'bind',source:'%s',options:['bind']}"
            .formatted(hostDirectory()));
    assertThat(runSh("cat /a/b/c/file").succeeds().text()).isEqualTo("content");
  }

  @Test
  void mountPointsStayInsideTheRootOverSymlinks() throws IOException {
    Files.createSymbolicLink(bundle.rootfs().resolve("link"), Path.of("../../../../../../tmp"));
    config.mount("{destination:'/link/%s-in',type:'tmpfs',source:'tmpfs'}".formatted(tag));
    assertThat(mountinfo("/tmp/" + tag + "-in")).contains(" - tmpfs ");
    assertThat(Path.of("/tmp", tag + "-in")).doesNotExist();
  }

  /// What the config has in it is made before it is read-only.
  @ParameterizedTest
  @ValueSource(strings = {"['ro']", "['ro','mode=755']", "['ro','tmpcopyup']"})
  void aReadOnlyTmpfsHasMountsADeviceAndTheCwdInIt(String options) throws IOException {
    if (options.contains("tmpcopyup")) RUNTIME.assumeRecent("what is copied");
    config
        .mount("{destination:'/mnt',type:'tmpfs',source:'tmpfs',options:%s}".formatted(options))
        .mount("{destination:'/mnt/in/deep',type:'tmpfs',source:'tmpfs'}")
        .mount("{destination:'/mnt/etc',type:'bind',source:'/etc',options:['rbind','ro']}")
        .set("/linux/devices", "[{path:'/mnt/zero',type:'c',major:1,minor:5}]")
        .setText("/process/cwd", "/mnt/work");
    assertThat(
            runSh(
                    "pwd; touch /mnt/in/deep/x && ls -d /mnt/etc/passwd /mnt/zero;"
                        + " touch /mnt/y 2>&1; touch /mnt/work/y 2>&1; :")
                .succeeds()
                .lines())
        .containsExactly(
            "/mnt/work",
            "/mnt/etc/passwd",
            "/mnt/zero",
            "touch: /mnt/y: Read-only file system",
            "touch: /mnt/work/y: Read-only file system");
  }

  /// The upper one stays as it is.
  @JrunOnly
  @Test
  void aReadOnlyTmpfsThatIsCoveredKeepsWhatCoversIt() throws IOException {
    config
        .mount("{destination:'/mnt/a',type:'tmpfs',source:'lower',options:['ro']}")
        .mount("{destination:'/mnt',type:'tmpfs',source:'upper'}")
        .mount("{destination:'/mnt/a/b',type:'tmpfs',source:'tmpfs'}");
    runSh("touch /mnt/x /mnt/a/x /mnt/a/b/x").succeeds();
  }

  @Test
  void tmpfsOptions() throws IOException {
    config.mount(
        "{destination:'/mnt',type:'tmpfs',source:'tmpfs',options:['nosuid','noexec','size=1024k','mode=0700']}");
    assertThat(mountinfo("/mnt"))
        .contains("nosuid,noexec")
        .contains("size=1024k")
        .contains("mode=700");
  }

  @Test
  void propagationOfAMount() throws IOException {
    config.mount(
        "{destination:'/mnt',type:'bind',source:'%s',options:['rbind','rshared']}"
            .formatted(hostDirectory()));
    assertThat(mountinfo("/mnt")).contains(" shared:");
  }

  @Test
  void mountsArePrivateByDefault() throws IOException {
    assertThat(runSh("grep -c shared: /proc/self/mountinfo").text()).isEqualTo("0");
  }

  @Test
  void theRootIsReadOnlyOrNot() throws IOException {
    assertThat(runSh("touch /x").exits(1).err()).contains("Read-only file system");
    config.writableRoot();
    runSh("touch /x").succeeds();
    assertThat(bundle.rootfs().resolve("x")).exists();
  }

  @Test
  void maskedPathsAreEmpty() throws IOException {
    config.set("/linux/maskedPaths", "['/etc/passwd','/home','/not/there']");
    Files.writeString(bundle.rootfs().resolve("home/secret"), "secret");
    assertThat(runSh("cat /etc/passwd; ls /home").succeeds().out()).isEmpty();
  }

  @Test
  void readonlyPathsCannotBeWritten() throws IOException {
    config.writableRoot().set("/linux/readonlyPaths", "['/etc','/not/there']");
    assertThat(runSh("touch /home/ok && touch /etc/x").exits(1).err())
        .contains("Read-only file system");
  }

  @Test
  void theRootCanBeAReadonlyPath() throws IOException {
    config.writableRoot().set("/linux/readonlyPaths", "['/']");
    assertThat(runSh("touch /x").exits(1).err()).contains("Read-only file system");
  }

  @Test
  void nothingOfTheHostsMountsIsSeen() throws IOException {
    List<String> lines = runSh("cat /proc/self/mountinfo").succeeds().lines();
    assertThat(lines).noneMatch(line -> line.split(" ")[4].startsWith("/tmp/"));
  }

  @Test
  void aMountOnTopOfProcIsRefused() throws IOException {
    config.mount("{destination:'/proc/1',type:'tmpfs',source:'tmpfs'}");
    assertThat(run().exits(1).err()).contains("/proc");
  }

  @Test
  void aMissingBindSourceIsNamed() throws IOException {
    config.mount(
        "{destination:'/mnt',type:'bind',source:'%s/none',options:['bind']}".formatted(temp));
    assertThat(run().failsInOneLine().err())
        .contains("/none")
        .contains("no such file or directory");
  }

  /// As an image has it whose resolver is systemd's.
  @Test
  void aLinkToWhatIsNotThereIsFollowedInTheRoot() throws IOException {
    Path link = bundle.rootfs().resolve("etc/resolv.conf");
    Files.createDirectories(link.getParent());
    Files.deleteIfExists(link);
    Files.createSymbolicLink(link, Path.of("../run/systemd/resolve/stub-resolv.conf"));
    Path source = Files.writeString(temp.resolve("resolv"), "nameserver 10.0.0.1\n");
    config
        .mount(
            "{destination:'/etc/resolv.conf',type:'bind',source:'%s',options:['bind']}"
                .formatted(source))
        .sh("cat /etc/resolv.conf /run/systemd/resolve/stub-resolv.conf");
    assertThat(run().succeeds().lines())
        .containsExactly("nameserver 10.0.0.1", "nameserver 10.0.0.1");
    assertThat(bundle.rootfs().resolve("run/systemd/resolve/stub-resolv.conf")).isEmptyFile();
  }

  /// `/var/lock` leads into what is mounted just before.
  @Test
  void aLinkIntoAnEarlierMountIsFollowed() throws IOException {
    Files.createDirectories(bundle.rootfs().resolve("var"));
    Files.createDirectories(bundle.rootfs().resolve("run/lock"));
    Files.createSymbolicLink(bundle.rootfs().resolve("var/lock"), Path.of("/run/lock"));
    config
        .mount("{destination:'/run',type:'tmpfs',source:'tmpfs',options:['mode=755']}")
        .mount("{destination:'/var/lock',type:'tmpfs',source:'tmpfs',options:['mode=700']}")
        .sh("stat -c %a /run/lock; grep -c ' /run/lock ' /proc/mounts");
    assertThat(run().succeeds().lines()).containsExactly("700", "1");
  }

  /// Only init sees these links, in a volume that is mounted before.
  @Test
  void aLinkInsideOfAnEarlierBindMountIsFollowed() throws IOException {
    Path volume = Files.createDirectories(temp.resolve("volume"));
    Files.createDirectories(volume.resolve("real"));
    Files.createSymbolicLink(volume.resolve("one"), Path.of("two"));
    Files.createSymbolicLink(volume.resolve("two"), Path.of("/mnt/real/new"));
    config
        .mount("{destination:'/mnt',type:'bind',source:'%s',options:['bind']}".formatted(volume))
        .mount("{destination:'/mnt/one/deep',type:'tmpfs',source:'tmpfs',options:['mode=711']}")
        .sh("stat -c %a /mnt/real/new/deep");
    assertThat(run().succeeds().text()).isEqualTo("711");
  }

  @Test
  void aRelativeDestinationIsBelowTheRoot() throws IOException {
    config
        .mount("{destination:'mnt/here',type:'tmpfs',source:'relative'}")
        .set("/process/cwd", "'/tmp'");
    assertThat(
            runSh("grep -c '/mnt/here .* - tmpfs relative ' /proc/self/mountinfo")
                .succeeds()
                .text())
        .isEqualTo("1");
  }

  @Test
  void laterMountsCoverEarlierOnes() throws IOException {
    for (String source : List.of("first", "second"))
      config.mount("{destination:'/mnt',type:'tmpfs',source:'%s'}".formatted(source));
    config.mount("{destination:'/mnt/below',type:'tmpfs',source:'third'}");
    assertThat(runSh("grep ' /mnt' /proc/mounts | cut -d' ' -f1").succeeds().lines())
        .containsExactly("first", "second", "third");
  }

  @Test
  void linksInACircleAreAnError() throws IOException {
    Files.createSymbolicLink(bundle.rootfs().resolve("circle"), Path.of("/circle"));
    config.mount("{destination:'/circle/x',type:'tmpfs',source:'tmpfs'}");
    run().failsInOneLine("circle");
  }

  @Test
  void aTmpfsHasTheModeOfWhatItCovers() throws IOException {
    Path covered = Files.createDirectories(bundle.rootfs().resolve("covered"));
    Files.setPosixFilePermissions(covered, PosixFilePermissions.fromString("rwx--x---"));
    config
        .mount("{destination:'/covered',type:'tmpfs',source:'tmpfs',options:['nosuid']}")
        .mount("{destination:'/covered/new',type:'tmpfs',source:'tmpfs'}")
        .sh("stat -c %a /covered /covered/new");
    assertThat(run().succeeds().lines().getFirst()).isEqualTo("710");
  }

  @Test
  void aBindMountTakesNoOptionOfAFileSystem() throws IOException {
    assumeTrue(RUNTIME.isJrun(), "runc refuses it since 1.2");
    config.mount(
        "{destination:'/mnt',type:'bind',source:'%s',options:['bind','size=1k']}".formatted(temp));
    run().failsInOneLine("size=1k");
  }

  /// More than fit into one message to the helper.
  @Test
  void thousandsOfMounts() throws IOException {
    for (int i = 0; i < 3000; i++)
      config.mount(
          "{destination:'/mnt/a/b/c/%d',type:'tmpfs',source:'tmpfs',options:['mode=755']}"
              .formatted(i));
    config.sh("grep -c ' /mnt/a/b/c/' /proc/mounts");
    assertThat(run().succeeds().text()).isEqualTo("3000");
  }

  @Test
  void hundredsOfMaskedPaths() throws IOException {
    StringBuilder paths = new StringBuilder("'/proc/kcore'");
    for (int i = 0; i < 1500; i++) paths.append(",'/proc/sys/kernel/panic'");
    config.set("/linux/maskedPaths", "[" + paths + "]").sh("cat /proc/sys/kernel/panic; echo -$?");
    assertThat(run().succeeds().text()).isEqualTo("-0");
  }

  @Test
  void aDevThatIsReadOnlyHasItsDevices() throws IOException {
    config.set("/mounts/1/options", "['nosuid','strictatime','mode=755','ro']");
    runSh("echo x > /dev/null && test -c /dev/zero && touch /dev/shm/x && ! touch /dev/x")
        .succeeds();
  }

  @Test
  void iversionIsPassedOver() throws IOException {
    config.mount("{destination:'/v',type:'tmpfs',source:'tmpfs',options:['iversion']}");
    config.mount("{destination:'/w',type:'bind',source:'/etc',options:['bind','iversion']}");
    runSh("grep -q ' /v tmpfs ' /proc/mounts && test -e /w/passwd").succeeds();
  }
}
