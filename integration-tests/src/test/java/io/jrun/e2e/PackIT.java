package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// `rootfs pack` and `rootfs diff`.
@JrunOnly
class PackIT extends EndToEnd {
  private Path tree(String name) throws IOException {
    Path tree = Files.createDirectory(temp.resolve(name));
    Command.of(
            "bash",
            "-c",
            """
            set -e; cd "$0"; mkdir -p a/b empty z "$(printf 'd%.0s' {1..120})"
            echo x > a/f; ln a/f z/hard; ln -s ../f a/b/l; mkfifo p; mknod n c 1 3
            ln -s "$(printf 't%.0s' {1..150})" longlink; echo y > "$(printf 'latin\\351')"
            head -c 300000 /dev/urandom > big; : > none; cp /bin/true s; chmod 4755 s
            chown 100000000:5 a/f; setfattr -n user.k -v v a/f; setfattr -n trusted.t -v w a
            touch -d '1965-01-01 00:00:00.25' a/f; touch -d '2000-01-01' none
            """,
            tree.toString())
        .run()
        .succeeds();
    return tree;
  }

  private Outcome rootfs(String... words) {
    String[] all = new String[words.length + 1];
    all[0] = "rootfs";
    System.arraycopy(words, 0, all, 1, words.length);
    return runtime(all);
  }

  @Test
  void archivesOfOneTreeAreTheSameBytesAndHoldAllOfIt() throws IOException {
    Path tree = tree("t");
    rootfs("pack", tree.toString(), temp + "/1.tar").succeeds();
    Path copy = temp.resolve("copy");
    Command.of("cp", "-a", tree.toString(), copy.toString()).run().succeeds();
    rootfs("pack", copy.toString(), temp + "/2.tar").succeeds();
    assertThat(temp.resolve("1.tar")).hasSameBinaryContentAs(temp.resolve("2.tar"));
    rootfs("pack", tree.toString(), temp + "/3.tar.gz").succeeds();
    Command.of("bash", "-c", "zcat $0/3.tar.gz | cmp - $0/1.tar", temp.toString()).run().succeeds();
    List<String> expected = Trees.of(tree);
    rootfs("unpack", temp + "/1.tar", temp + "/back").succeeds();
    assertThat(Trees.of(temp.resolve("back"))).isEqualTo(expected);
    Path theirs = Files.createDirectory(temp.resolve("theirs"));
    Command.of(
            "tar",
            "--xattrs",
            "--xattrs-include=*",
            "-C",
            theirs.toString(),
            "-xpf",
            temp + "/1.tar")
        .run()
        .succeeds();
    assertThat(Trees.of(theirs)).isEqualTo(expected);
  }

  /// More than fits one slot of the window, files across several slots, more directories beside one
  /// another and below one another than are listed at once, and more files than one message names.
  @Test
  void largeFilesAndManyDirectoriesAreWholeAndInOrder() throws IOException {
    Path tree = Files.createDirectory(temp.resolve("t"));
    Random random = new Random(7);
    for (int i = 0; i < 230; i++) {
      Path directory = Files.createDirectories(tree.resolve("d" + i + "/e/f"));
      byte[] content = new byte[random.nextInt(i % 50 == 0 ? 5_000_000 : 5_000)];
      random.nextBytes(content);
      Files.write(directory.resolve("file"), content);
      for (int k = 0; k < i % 7; k++) Files.createDirectory(tree.resolve("d" + i + "/k" + k));
    }
    Path many = Files.createDirectory(tree.resolve("many"));
    for (int i = 0; i < 2500; i++) Files.writeString(many.resolve("f" + i), "x".repeat(i % 3));
    rootfs("pack", tree.toString(), temp + "/1.tar").succeeds();
    List<String> names =
        Command.of("tar", "-tf", temp + "/1.tar").run().succeeds().out().lines().toList();
    assertThat(names.subList(1, names.size()))
        .isEqualTo(
            Command.of("bash", "-c", IN_ORDER, tree.toString())
                .run()
                .succeeds()
                .out()
                .lines()
                .toList());
    Path theirs = Files.createDirectory(temp.resolve("theirs"));
    Command.of("tar", "-C", theirs.toString(), "-xpf", temp + "/1.tar").run().succeeds();
    assertThat(Trees.of(theirs)).isEqualTo(Trees.of(tree));
  }

  private static final String IN_ORDER =
      "cd $0 && find . -mindepth 1 \\( -type d -printf '%P/\\n' -o -printf '%P\\n' \\)"
          + " | sed 's|/|\\x01|g' | LC_ALL=C sort | sed 's|\\x01|/|g'";

  @Test
  void aFullDiskIsAnErrorByName() throws IOException {
    Path tree = Files.createDirectory(temp.resolve("t"));
    Files.write(tree.resolve("file"), new byte[30_000_000]);
    String command = "$0 rootfs pack $1 - > /dev/full";
    assertThat(
            Command.of("bash", "-c", command, RUNTIME.path().toString(), tree.toString())
                .run()
                .exits(1)
                .err())
        .contains("writing standard output: ENOSPC")
        .doesNotContain("write(");
    Path full = temp.resolve("full");
    Command.of("mknod", full.toString(), "c", "1", "7").run().succeeds();
    runtime("rootfs", "pack", tree.toString(), full.toString())
        .failsInOneLine("writing " + full + ": ENOSPC");
    assertThat(Files.isRegularFile(full)).isFalse();
    String to = temp.resolve("gone/packed.tar").toString();
    runtime("rootfs", "pack", tree.toString(), to).failsInOneLine("writing " + to + ": ENOENT");
  }

  @Test
  void timesCanBeClampedSoThatATreeMadeAnewIsTheSame() throws IOException {
    Path tree = tree("t");
    rootfs("pack", "--latest", "1000000000", tree.toString(), temp + "/1.tar").succeeds();
    Command.of(
            "bash",
            "-c",
            "find $0 -exec touch -h {} +; touch -d 1965-01-01T00:00:00.25Z $0/a/f; touch -d 2000-01-01 $0/none",
            tree.toString())
        .run()
        .succeeds();
    command("rootfs", "pack", tree.toString(), temp + "/2.tar")
        .with("SOURCE_DATE_EPOCH", "1000000000")
        .run()
        .succeeds();
    assertThat(Trees.of(tree)).isNotEmpty();
    assertThat(temp.resolve("1.tar")).hasSameBinaryContentAs(temp.resolve("2.tar"));
  }

  @Test
  void aLayerOfWhatChangedMakesTheOneTreeOfTheOther() throws IOException {
    Path lower = tree("lower");
    Path upper = temp.resolve("upper");
    Command.of("cp", "-a", lower.toString(), upper.toString()).run().succeeds();
    Command.of(
            "bash",
            "-c",
            "cd $0; rm -rf a/b p; echo more >> big; mkdir a/new z/q; echo n > a/new/n; rm s; mkdir s;"
                + " echo in > s/in; rm -rf empty; echo file > empty; chmod 700 z",
            upper.toString())
        .run()
        .succeeds();
    rootfs("diff", lower.toString(), upper.toString(), temp + "/layer.tar").succeeds();
    String names = Command.of("tar", "-tf", temp + "/layer.tar").run().succeeds().out();
    assertThat(names.lines())
        .contains(".wh.p", "a/.wh.b", "a/new/", "a/new/n", "big", "s/", "s/in", "empty", "z/")
        .doesNotContain("none", "a/f", "n");
    // as two layers of an image they are the upper tree again
    rootfs("pack", lower.toString(), temp + "/base.tar").succeeds();
    Path layout = temp.resolve("layered");
    Command.of(
            "bash",
            "-c",
            "set -e; cd $0; umoci init --layout layered; umoci new --image layered:a; umoci raw add-layer"
                + " --image layered:a base.tar; umoci raw add-layer --image layered:a layer.tar",
            temp.toString())
        .run()
        .succeeds();
    rootfs("unpack", layout.toString(), temp + "/result").succeeds();
    assertThat(withoutDirectoryTimes(temp.resolve("result")))
        .isEqualTo(withoutDirectoryTimes(upper));
  }

  private static List<String> withoutDirectoryTimes(Path tree) {
    return Trees.of(tree).stream()
        .map(line -> line.contains("\td\t") ? line.replaceAll("\t\\d+\\.\\d+\t", "\t") : line)
        .toList();
  }

  @Test
  void marksOfOverlayfsBecomeWhiteouts() throws IOException {
    Path upper = Files.createDirectory(temp.resolve("upper"));
    Command.of(
            "bash",
            "-c",
            "cd $0; mknod gone c 0 0; mkdir o; setfattr -n trusted.overlay.opaque -v y o; echo f > o/f",
            upper.toString())
        .run()
        .succeeds();
    rootfs("pack", "--overlay", upper.toString(), temp + "/layer.tar").succeeds();
    assertThat(Command.of("tar", "-tf", temp + "/layer.tar").run().succeeds().lines())
        .containsExactly("./", ".wh.gone", "o/", "o/.wh..wh..opq", "o/f");
  }

  @Test
  void aPackedImageCanBeLoadedAndRead() throws IOException {
    Path tree = tree("t");
    List<String> expected = Trees.of(tree);
    rootfs("pack", "--oci", "--name", "my/tree:1", tree.toString(), temp + "/image.tar").succeeds();
    rootfs("unpack", temp + "/image.tar", temp + "/back").succeeds();
    assertThat(Trees.of(temp.resolve("back"))).isEqualTo(expected);
    String store = temp + "/store";
    runtime("image", "load", "--store", store, temp + "/image.tar").succeeds();
    runtime("image", "verify", "--store", store, "my/tree:1").succeeds();
    runtime("image", "save", "--store", store, "my/tree:1", temp + "/saved.tar").succeeds();
    Command.of("skopeo", "inspect", "oci-archive:" + temp + "/saved.tar").run().succeeds();
  }

  @Test
  void aFailureLeavesNoFile() throws IOException {
    rootfs("pack", temp + "/missing", temp + "/x.tar").fails();
    try (var files = Files.list(temp)) {
      assertThat(files.map(p -> p.getFileName().toString())).noneMatch(n -> n.contains("x.tar"));
    }
  }

  @Test
  void zstdIsWrittenForArchivesAndLayers() throws IOException {
    Machine.assumeInstalled("zstd");
    Path tree = tree("t");
    List<String> expected = Trees.of(tree);
    rootfs("pack", tree.toString(), temp + "/1.tar").succeeds();
    rootfs("pack", tree.toString(), temp + "/1.tar.zst").succeeds();
    Command.of("bash", "-c", "zstd -dqc $0/1.tar.zst | cmp - $0/1.tar", temp.toString())
        .run()
        .succeeds();
    rootfs("unpack", temp + "/1.tar.zst", temp + "/back").succeeds();
    assertThat(Trees.of(temp.resolve("back"))).isEqualTo(expected);
    rootfs(
            "pack",
            "--oci",
            "--compress",
            "zstd",
            "--name",
            "z",
            tree.toString(),
            temp + "/image.tar")
        .succeeds();
    rootfs("unpack", temp + "/image.tar", temp + "/layer").succeeds();
    assertThat(Trees.of(temp.resolve("layer"))).isEqualTo(expected);
    String store = temp + "/store";
    runtime("image", "load", "--store", store, temp + "/image.tar").succeeds();
    runtime("image", "verify", "--store", store, "z").succeeds();
    assertThat(runtime("image", "inspect", "--store", store, "z").succeeds().out())
        .contains("layer.v1.tar+zstd");
    rootfs("pack", tree.toString(), temp + "/1.tar.xz").failsInOneLine("gzip and zstd");
    rootfs("pack", "--oci", "--compress", "lz4", tree.toString(), temp + "/x.tar")
        .failsInOneLine("lz4");
  }
}
