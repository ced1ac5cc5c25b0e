package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// What each mount option that `features` names does to the mount, as the container's mountinfo
/// says it.
class MountOptionsIT extends EndToEnd {
  /// Options of a tmpfs, the last of which is tested, and what its line has (or, behind `!`, has
  /// not).
  private static final Map<String, String> OF_A_TMPFS =
      rows(
          "sync,async|!sync",
          "noatime,atime|!noatime",
          "nodev,dev|!nodev",
          "nodiratime,diratime|!nodiratime",
          "dirsync|dirsync",
          "noexec,exec|!noexec",
          "lazytime|lazytime",
          "mand|mand",
          "noatime|noatime",
          "nodev|nodev",
          "nodiratime|nodiratime",
          "noexec|noexec",
          "lazytime,nolazytime|!lazytime",
          "mand,nomand|!mand",
          "strictatime,nostrictatime|relatime",
          "nosuid|nosuid",
          "nosymfollow|nosymfollow",
          "shared,private|!shared",
          "relatime|relatime",
          "ro|ro",
          "shared,rprivate|!shared",
          "rshared|shared",
          "runbindable|unbindable",
          "ro,rw|rw",
          "shared|shared",
          "strictatime|!relatime",
          "nosuid,suid|!nosuid",
          "nosymfollow,symfollow|!nosymfollow",
          "sync|sync",
          "unbindable|unbindable");

  /// Options of a bind mount with another one below it, which has them too.
  private static final Map<String, String> OF_A_TREE =
      rows(
          "noatime,ratime|!noatime",
          "nodev,rdev|!nodev",
          "rnodiratime,rdiratime|!nodiratime",
          "noexec,rexec|!noexec",
          "rnoatime|noatime",
          "rnodev|nodev",
          "rnodiratime|nodiratime",
          "rnoexec|noexec",
          "rstrictatime,rnostrictatime|relatime",
          "rnosuid|nosuid",
          "rnosymfollow|nosymfollow",
          "rrelatime|relatime",
          "rro|ro",
          "rro,rrw|rw",
          "rstrictatime|!relatime",
          "nosuid,rsuid|!nosuid",
          "rnosymfollow,rsymfollow|!nosymfollow");

  /// What has no effect that mountinfo could say, or one that other tests look for.
  private static final Set<String> OTHERS =
      Set.of(
          "bind", // MountsIT
          "rbind", // below
          "defaults",
          "idmap", // IdMappedMountsIT
          "ridmap",
          "iversion", // MountsIT
          "noiversion",
          "loud",
          "silent",
          "norelatime", // the kernel's default is relatime
          "rnorelatime",
          "rslave", // RootfsPropagationIT
          "slave",
          "tmpcopyup"); // CopyUpIT

  private static Map<String, String> rows(String... rows) {
    Map<String, String> expected = new LinkedHashMap<>();
    for (String row : rows) expected.put(row.split("\\|")[0], row.split("\\|")[1]);
    return expected;
  }

  private static String option(String options) {
    return options.substring(options.lastIndexOf(',') + 1);
  }

  private static String quoted(String options) {
    return "'" + options.replace(",", "','") + "'";
  }

  /// Asserts that the options of the mount, its propagation or its file system's options have that
  /// word; of the latter `rw` and `ro` say nothing of the mount.
  private static void assertSays(List<String> mountinfo, String target, String expected) {
    String line =
        mountinfo.stream()
            .filter(each -> each.split(" ")[4].equals(target))
            .findFirst()
            .orElseThrow(() -> new AssertionError("nothing is mounted on " + target));
    String[] halves = line.split(" - ");
    String[] mount = halves[0].split(" ");
    List<String> words = new ArrayList<>(List.of(mount[5].split(",")));
    for (int i = 6; i < mount.length; i++) words.add(mount[i].replaceAll(":.*", ""));
    for (String word : halves[1].split(" ")[2].split(","))
      if (!Set.of("rw", "ro").contains(word)) words.add(word);
    if (expected.startsWith("!")) assertThat(words).as(line).doesNotContain(expected.substring(1));
    else assertThat(words).as(line).contains(expected);
  }

  @Test
  void everyOptionDoesWhatItSays() throws IOException {
    config.writableRoot();
    List<String> targets = new ArrayList<>();
    OF_A_TMPFS.forEach((options, expected) -> {
      targets.add("/m" + targets.size());
      config.mount(
          "{destination:'%s',type:'tmpfs',source:'tmpfs',options:[%s]}"
              .formatted(targets.getLast(), quoted(options)));
    });
    List<String> lines = runSh("cat /proc/self/mountinfo").succeeds().lines();
    int i = 0;
    for (String expected : OF_A_TMPFS.values()) assertSays(lines, targets.get(i++), expected);
  }

  @Test
  void aRecursiveOneDoesItToTheMountsBelowToo() throws IOException {
    config.writableRoot();
    Path tree = Files.createDirectory(temp.resolve("tree"));
    Command.of("mount", "-t", "tmpfs", "tmpfs", tree.toString()).run().succeeds();
    try {
      Path below = Files.createDirectory(tree.resolve("below"));
      Command.of("mount", "-t", "tmpfs", "tmpfs", below.toString()).run().succeeds();
      List<String> targets = new ArrayList<>();
      OF_A_TREE.forEach((options, expected) -> {
        targets.add("/m" + targets.size());
        config.mount(
            "{destination:'%s',type:'bind',source:'%s',options:['rbind',%s]}"
                .formatted(targets.getLast(), tree, quoted(options)));
      });
      List<String> lines = runSh("cat /proc/self/mountinfo").succeeds().lines();
      int i = 0;
      for (String expected : OF_A_TREE.values()) {
        String target = targets.get(i++);
        assertSays(lines, target, expected);
        assertSays(lines, target + "/below", expected);
      }
    } finally {
      Command.of("umount", "--recursive", tree.toString()).run().succeeds();
    }
  }

  @Test
  @JrunOnly
  void noOptionOfFeaturesIsForgotten() {
    Set<String> named = new TreeSet<>();
    Config.json(runtime("features").succeeds().out())
        .at("/mountOptions")
        .forEach(option -> named.add(option.asString()));
    Set<String> tested = new TreeSet<>(OTHERS);
    OF_A_TMPFS.keySet().forEach(options -> tested.add(option(options)));
    OF_A_TREE.keySet().forEach(options -> tested.add(option(options)));
    assertThat(named).isEqualTo(tested);
  }
}
