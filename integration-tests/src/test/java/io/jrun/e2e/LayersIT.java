package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Layers stacked by overlayfs are the tree that the layers make one after another.
@JrunOnly
class LayersIT extends ImageStoreTest {
  private static final String LISTING =
      "cd /; busybox find . -xdev ! -path './proc*' ! -path './dev*' ! -path './sys*' ! -path './etc*' | busybox sort |"
          + " while IFS= read -r f; do busybox stat -c '%N %F %a %u:%g %Y %s' \"$f\" | busybox sed"
          + " 's/\\(directory .*\\) [0-9]*$/\\1/; s/ 1[4-9][0-9]\\{8\\}/ now/'; if [ -f \"$f\" ] && [ ! -L \"$f\" ]; then busybox"
          + " md5sum \"$f\"; fi; done";

  private static TarBuilder base() throws IOException {
    TarBuilder base =
        new TarBuilder().time(1_300_000_000).mode(0755).directory("bin").directory("proc");
    base.directory("dev").directory("sys").mode(0755);
    base.file("bin/busybox", Files.readAllBytes(Path.of("/bin/busybox"))).mode(0777);
    return base.symlink("bin/sh", "busybox");
  }

  private void load(List<TarBuilder> layers) throws IOException {
    Machine.assumeInstalled("umoci");
    List<TarBuilder> all = new ArrayList<>(List.of(base()));
    all.addAll(layers);
    StringBuilder script =
        new StringBuilder("set -e; cd $0; rm -rf layout; umoci init --layout layout;");
    script.append("umoci new --image layout:a;");
    for (int i = 0; i < all.size(); i++) {
      all.get(i).write(temp.resolve("layer" + i + ".tar"));
      script.append("umoci raw add-layer --image layout:a layer").append(i).append(".tar;");
    }
    Command.of("bash", "-c", script.toString(), temp.toString()).run().succeeds();
    image("load", "--name", "app", temp + "/layout").succeeds();
  }

  private String shown(String snapshotter) {
    return runImage("--snapshotter", snapshotter, "--entrypoint", "/bin/sh", newId(), "-c", LISTING)
        .succeeds()
        .out();
  }

  /// The lines that only one of them has.
  private static List<String> difference(String stacked, String copied) {
    List<String> difference = new ArrayList<>();
    List<String> left = stacked.lines().toList();
    List<String> right = copied.lines().toList();
    left.stream().filter(l -> !right.contains(l)).forEach(l -> difference.add("stacked: " + l));
    right.stream().filter(l -> !left.contains(l)).forEach(l -> difference.add("copied: " + l));
    return difference;
  }

  @Test
  void linksWhiteoutsAndDirectoriesThatALayerDoesNotDescribe() throws IOException {
    load(
        List.of(
            new TarBuilder()
                .time(1_000_000_000)
                .mode(0711)
                .owner(3, 4)
                .directory(".")
                .mode(0750)
                .owner(5, 6)
                .directory("usr")
                .directory("usr/lib")
                .directory("secret")
                .mode(0644)
                .file("usr/lib/a", "a")
                .file("usr/lib/b", "b")
                .file("secret/f", "f")
                .symlink("lib", "usr/lib")
                .symlink("abs", "/usr/lib")
                .symlink("loop", "lib/../lib")
                .directory("gone")
                .file("gone/old", "old")
                .directory("opaque")
                .file("opaque/old", "old")
                .directory("late")
                .file("late/old", "old")
                .directory("turned")
                .file("turned/x", "x")
                .file("file", "was a file"),
            new TarBuilder()
                .time(1_100_000_000)
                .owner(1, 1)
                .file("lib/c", "through a link")
                .file("abs/d", "through an absolute link")
                .file("loop/e", "through two")
                .file("lib/.wh.a", "")
                .file("secret/deep/g", "in directories nobody described")
                .hardLink("linked", "usr/lib/b")
                .file(".wh.gone", "")
                .directory("gone")
                .file("gone/new", "new")
                .file("opaque/.wh..wh..opq", "")
                .file("opaque/new", "new")
                .file("late/new", "new")
                .file(".wh.late", "")
                .file("nowhere/.wh.nothing", "")
                .file(".wh.missing", "")
                .file("turned", "a file now")
                .mode(0700)
                .directory("file"),
            new TarBuilder()
                .time(1_200_000_000)
                .file("secret/.wh.f", "")
                .file("gone/third", "3")
                .directory("turned")
                .file("turned/y", "y")
                .file("linked", "no more")));
    String stacked = shown("overlayfs");
    assertThat(difference(stacked, shown("copy"))).isEmpty();
    assertThat(stacked)
        .contains("./usr/lib/c", "./usr/lib/d", "./usr/lib/e", "./gone/new", "./opaque/new")
        .contains("'./lib' -> 'usr/lib'")
        .doesNotContain("./usr/lib/a", "gone/old", "opaque/old", "late/old", "turned/x", "nowhere");
    assertThat(stacked.lines().filter(l -> l.startsWith(". ")).toList())
        .singleElement()
        .asString()
        .contains(" 711 3:4 ");
    assertThat(stacked.lines().filter(l -> l.startsWith("./secret ")).toList())
        .singleElement()
        .asString()
        .contains(" 750 5:6 1000000000");
  }

  /// An image in which each layer brings a file, and replaces one.
  private void loadMany(int count) throws IOException {
    List<byte[]> layers = new ArrayList<>(List.of(base().bytes()));
    for (int i = 1; i < count; i++) {
      layers.add(new TarBuilder().file("many/" + i, "" + i).file("last", "" + i).bytes());
    }
    String config = "{\"Entrypoint\":[\"/bin/sh\"],\"Env\":[\"PATH=/bin\"]}";
    Path archive = DockerArchive.write(temp.resolve("many.tar"), "many", config, layers);
    image("load", "--name", "app", archive.toString()).succeeds();
  }

  private void runsWith(int count, String... options) {
    List<String> words = new ArrayList<>(List.of(options));
    words.addAll(List.of(newId(), "-c", "cat /last; busybox ls /many | busybox wc -l; pwd"));
    assertThat(runImage(words.toArray(String[]::new)).succeeds().lines())
        .containsExactly((count - 1) + "" + (count - 1), "/");
    assertThat(temp.resolve("store/bundles")).isEmptyDirectory();
  }

  @Test
  void moreLayersAreStackedThanTheOptionsOfAMountHavePathsFor() throws IOException {
    for (int layers : new int[] {50, 90, 130}) { // what one unpacks the next need not
      loadMany(layers);
      runsWith(layers, "--snapshotter", "overlayfs");
    }
    runsWith(130, "--snapshotter", "overlayfs"); // unpacked already
    runsWith(130, "--storage-opt", "size=1m");
    image("rm", "app").succeeds();
    assertThat(temp.resolve("store/snapshots")).isEmptyDirectory();
    assertThat(temp.resolve("store/ingest")).isEmptyDirectory();
  }

  @Test
  void asManyLayersAsOverlayfsTakesAreStacked() throws IOException {
    loadMany(500);
    runsWith(500, "--snapshotter", "overlayfs");
  }

  @Test
  void moreLayersThanOverlayfsStacksAreCopied() throws IOException {
    loadMany(501);
    runImage("--snapshotter", "overlayfs", newId()).failsInOneLine("stacks 500 layers");
    runsWith(501);
  }

  /// `-Djrun.seed=N` repeats what failed, `-Djrun.rounds=N` tries for longer; each round has a seed
  /// of its own, so that one round is enough to see a failure again.
  @Test
  void seededRandomLayersStackToWhatTheyMakeOneByOne() throws IOException {
    long first = Long.getLong("jrun.seed", System.nanoTime());
    int rounds = Integer.getInteger("jrun.rounds", 5);
    System.out.println("seed: " + first);
    for (long seed = first; seed < first + rounds; seed++) {
      Random random = new Random(seed);
      List<TarBuilder> layers = new ArrayList<>();
      List<String> known = new ArrayList<>();
      boolean isClear = seed % 2 == 0;
      for (int i = 0; i < 4; i++) layers.add(layer(random, known, isClear));
      load(layers);
      String again = "-Djrun.seed=%d -Djrun.rounds=1".formatted(seed);
      assertThat(difference(shown("overlayfs"), shown("copy"))).as(again).isEmpty();
      if (isClear) assertThat(differenceFromUmoci()).as(again).isEmpty();
      image("rm", "app").succeeds();
    }
  }

  private List<String> differenceFromUmoci() {
    Command.of(
            "bash",
            "-c",
            "cd $0; rm -rf ours theirs; umoci unpack --image layout:a theirs",
            temp.toString())
        .run()
        .succeeds();
    runtime("rootfs", "unpack", temp + "/layout", temp + "/ours").succeeds();
    return difference(tree(temp.resolve("ours")), tree(temp.resolve("theirs/rootfs")));
  }

  /// Without the times of directories, which nothing describes where something in them is hidden.
  private static String tree(Path directory) {
    return String.join("\n", Trees.of(directory)).replaceAll("(?m)(\td\t.*\t)[0-9.]+\t$", "$1");
  }

  /// Random entries and whiteouts in a small space of names, so that layers meet. Links lead to
  /// names that a link can lead through, and a name under a plain file is not asked for.
  ///
  /// @param isClear directories are made opaque before anything is in them, as image-spec wants;
  ///   what else it means is understood in different ways
  private static TarBuilder layer(Random random, List<String> directories, boolean isClear) {
    TarBuilder tar = new TarBuilder().time(1_000_000_000);
    List<String> here = new ArrayList<>();
    List<String> opaque = new ArrayList<>();
    for (String directory : isClear ? List.copyOf(directories) : List.<String>of()) {
      if (random.nextInt(8) > 0) continue;
      if (opaque.stream().anyMatch(o -> (directory + "/").startsWith(o + "/"))) continue;
      opaque.removeIf(o -> o.startsWith(directory + "/"));
      opaque.add(directory);
    }
    opaque.forEach(directory -> tar.file(directory + "/.wh..wh..opq", ""));
    for (int i = 0; i < 25; i++) {
      tar.owner(random.nextInt(3), random.nextInt(3)).time(1_000_000_000 + random.nextInt(1 << 20));
      tar.mode(0600 | random.nextInt(0200));
      boolean known = !directories.isEmpty() && random.nextInt(3) > 0;
      String parent =
          known ? directories.get(random.nextInt(directories.size())) : "d" + random.nextInt(3);
      String name = parent + "/" + (char) ('a' + random.nextInt(6));
      if (here.contains(name)) continue; // what comes twice in one layer is another test's
      switch (random.nextInt(6)) {
        case 0, 1 -> {
          String directory = parent + "/sub" + random.nextInt(3);
          if (directory.length() > 60) continue;
          if (random.nextBoolean()) tar.directory(directory);
          else tar.file(directory + "/implied" + i, "i");
          directories.add(directory);
        }
        case 2 -> {
          tar.file(parent + "/.wh." + name.substring(name.lastIndexOf('/') + 1), "");
          here.add(name);
        }
        case 3 -> {
          if (!isClear && random.nextInt(4) == 0) tar.file(parent + "/.wh..wh..opq", "");
        }
        case 4 -> {
          tar.symlink(name, "x" + random.nextInt(9));
          here.add(name);
        }
        default -> {
          tar.file(name, "content" + random.nextInt());
          here.add(name);
        }
      }
    }
    return tar;
  }
}
