package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

/// `rootfs unpack` of plain archives, beside GNU tar.
@JrunOnly
class UnpackIT extends EndToEnd {
  /// A tree with something of every kind, made by the tools that users have.
  private static final String TREE =
      """
      set -e
      cd "$0"
      mkdir -p a/b/c "$(printf 'n%.0s' {1..200})/$(printf 'm%.0s' {1..200})" empty
      echo content > a/file; : > a/empty; ln a/file a/b/hard; ln -s ../file a/b/soft
      ln -s /absolute/nowhere dangling; mkfifo a/fifo; mknod a/null c 1 3; mknod a/disk b 259 70000
      echo x > "$(printf 'l%.0s' {1..250})"; printf 'x' > "$(printf 'latin\\351')"
      echo y > 'unicode-\u00e9\u20ac'; echo z > "$(printf 'new\\nline')"
      cp /bin/true a/suid; chown 1000:1001 a/suid a/b; chmod 6755 a/suid; chmod 1777 empty; chmod 2750 a/b
      chown -h 1000:70000 a/b/soft
      setfattr -n user.note -v 'a value' a/file; setfattr -n trusted.deep -v 0x00ff00 a/b
      setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 a/suid
      setfacl -m u:1234:r-x,d:g:99:rwx a/b/c; setfacl -m u:77:rw a/file
      truncate -s 5M sparse; printf data | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none
      printf end | dd of=sparse bs=1 seek=4000000 conv=notrunc status=none
      head -c 9000000 /dev/urandom > large
      touch -d '2001-02-03 04:05:06.123456789' a/file; touch -h -d '1960-01-01 00:00:00.5' a/b/soft
      touch -d '2020-01-01 00:00:00.25' a/b empty .
      """;

  private Path tree() throws IOException {
    Path tree = Files.createDirectory(temp.resolve("tree"));
    Command.of("bash", "-c", TREE, tree.toString()).run().succeeds();
    return tree;
  }

  private Path archive(Path tree, String name, String... options) {
    Path archive = temp.resolve(name);
    List<String> words =
        new ArrayList<>(
            List.of("tar", "--numeric-owner", "-C", tree.toString(), "-cf", archive.toString()));
    words.addAll(List.of(options));
    words.add(".");
    Command.of(words).with("XZ_OPT", "-0").run().succeeds();
    return archive;
  }

  private void unpacksTo(Path archive, List<String> expected) {
    Path to = temp.resolve(archive.getFileName() + ".d");
    runtime("rootfs", "unpack", archive.toString(), to.toString()).succeeds();
    assertThat(Trees.of(to)).isEqualTo(expected);
  }

  @Test
  void paxArchivesComeBackAsTheyWere() throws IOException {
    Path tree = tree();
    List<String> expected = Trees.of(tree);
    unpacksTo(archive(tree, "pax.tar", "--format=pax", "--xattrs", "--acls", "--sparse"), expected);
  }

  @Test
  void everyCompressionIsRecognised() throws IOException {
    Path tree = tree();
    List<String> expected = Trees.of(tree);
    for (String how : List.of("gzip", "zstd", "xz", "bzip2")) {
      unpacksTo(
          archive(tree, "tar." + how, "--format=pax", "--xattrs", "--acls", "-S", "--" + how),
          expected);
    }
  }

  @Test
  void archivesComeFromStandardInputAsWell() throws IOException {
    Path tree = tree();
    List<String> expected = Trees.of(tree);
    Path archive = archive(tree, "in.tar", "--format=pax", "--xattrs", "--acls", "-S");
    Path to = temp.resolve("from-stdin");
    Command.of(
            "bash",
            "-c",
            "cat $0 | $1 rootfs unpack - $2",
            archive.toString(),
            RUNTIME.path().toString(),
            to.toString())
        .run()
        .succeeds();
    assertThat(Trees.of(to)).isEqualTo(expected);
  }

  @Test
  void sparseFilesOfEachFormatKeepTheirHoles() throws IOException {
    Path tree = Files.createDirectory(temp.resolve("holes"));
    Command.of(
            "bash",
            "-c",
            "cd $0; truncate -s 50M all; truncate -s 64M some; for i in $(seq 0 40); do printf $i |"
                + " dd of=some bs=1 seek=$((i*1500000)) conv=notrunc status=none; done",
            tree.toString())
        .run()
        .succeeds();
    List<String> expected = Trees.of(tree);
    for (String format : List.of("gnu", "0.0", "0.1", "1.0")) {
      String[] options =
          format.equals("gnu")
              ? new String[] {"--format=gnu", "--sparse"}
              : new String[] {"--format=pax", "--sparse", "--sparse-version=" + format};
      Path archive = archive(tree, "sparse-" + format, options);
      Path to = temp.resolve("sparse-" + format + ".d");
      runtime("rootfs", "unpack", archive.toString(), to.toString()).succeeds();
      assertThat(withoutFractions(Trees.of(to))).as(format).isEqualTo(withoutFractions(expected));
      long blocks =
          Long.parseLong(Command.of("stat", "-c", "%b", to + "/some").run().succeeds().text());
      assertThat(blocks).as("blocks of %s", format).isLessThan(2000);
    }
  }

  /// GNU's own format has whole seconds.
  private static List<String> withoutFractions(List<String> lines) {
    return lines.stream().map(line -> line.replaceAll("(\\d{9,})\\.\\d+", "$1")).toList();
  }

  @Test
  void seededRandomArchivesBecomeWhatGnuTarMakesOfThem() throws IOException {
    long first = Long.getLong("jrun.seed", 4711);
    for (long seed = first; seed < first + 12; seed++) {
      Path archive = RandomArchive.of(new Random(seed)).write(temp.resolve("random-" + seed));
      Path ours = temp.resolve("ours-" + seed);
      Path theirs = Files.createDirectory(temp.resolve("theirs-" + seed));
      runtime("rootfs", "unpack", archive.toString(), ours.toString()).succeeds();
      Command.of(
              "tar",
              "--numeric-owner",
              "-C",
              theirs.toString(),
              "--delay-directory-restore",
              "-xpf",
              archive.toString())
          .run()
          .succeeds();
      assertThat(Trees.of(ours)).as("seed %d", seed).isEqualTo(Trees.of(theirs));
    }
  }

  @Test
  void truncationAtEveryBlockIsAnErrorThatLeavesNothing() throws IOException {
    byte[] whole =
        new TarBuilder()
            .directory("d")
            .file("d/f", "x".repeat(1000))
            .pax("path=d/" + "p".repeat(120), "mtime=1.5")
            .file("short", "y")
            .symlink("d/l", "f")
            .hardLink("d/h", "d/f")
            .bytes();
    for (int length = 0; length < whole.length; length += 512) {
      Path archive =
          Files.write(temp.resolve("cut-" + length), java.util.Arrays.copyOf(whole, length));
      Path to = temp.resolve("cut-" + length + ".d");
      runtime("rootfs", "unpack", archive.toString(), to.toString())
          .failsInOneLine(length == 0 ? "empty" : "truncated");
      assertThat(to).doesNotExist();
    }
    assertNoTemporaries();
  }

  private void assertNoTemporaries() throws IOException {
    try (var files = Files.list(temp)) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .noneMatch(name -> name.contains(".jrun-"));
    }
  }

  @Test
  void anArchiveThatShrinksMeanwhileIsAnErrorAndTheEngineLives() throws Exception {
    byte[] content = new byte[40 << 20];
    TarBuilder tar = new TarBuilder();
    for (int i = 0; i < 400; i++) tar.file("f" + i, java.util.Arrays.copyOf(content, 100_000));
    byte[] bytes = tar.bytes();
    long engine = enginePid();
    for (int round = 0; round < 8; round++) {
      Path archive = Files.write(temp.resolve("shrinks.tar"), bytes);
      Command.Running running =
          command("rootfs", "unpack", archive.toString(), temp + "/shrunk-" + round).start();
      pause(10 + 5 * round);
      try (var file =
          java.nio.channels.FileChannel.open(archive, java.nio.file.StandardOpenOption.WRITE)) {
        file.truncate(1000);
      }
      assertThat(running.finish().status()).isIn(0, 1);
    }
    assertThat(enginePid()).isEqualTo(engine);
    assertNoTemporaries();
  }

  @Test
  void truncatedCompressedStreamsAreErrors() throws IOException {
    Path tree = tree();
    for (String how : List.of("gzip", "zstd", "xz", "bzip2")) {
      Path archive = archive(tree, "whole." + how, "--" + how);
      byte[] whole = Files.readAllBytes(archive);
      for (int part : new int[] {2, 3, 10}) {
        Path cut =
            Files.write(
                temp.resolve("cut." + how),
                java.util.Arrays.copyOf(whole, whole.length - whole.length / part));
        runtime("rootfs", "unpack", cut.toString(), temp + "/cut.d").exits(1);
        assertThat(temp.resolve("cut.d")).doesNotExist();
      }
    }
  }

  @Test
  void aDirectoryThatIsNotEmptyStaysAsItIs() throws IOException {
    Path to = Files.createDirectory(temp.resolve("full"));
    Files.writeString(to.resolve("mine"), "mine");
    Path archive = new TarBuilder().file("mine", "theirs").write(temp.resolve("a.tar"));
    runtime("rootfs", "unpack", archive.toString(), to.toString()).failsInOneLine("not empty");
    assertThat(to.resolve("mine")).hasContent("mine");
  }

  @Test
  void laterEntriesReplaceEarlierOnesOfAnyKind() throws IOException {
    Path archive =
        new TarBuilder()
            .file("x", "file")
            .directory("x")
            .file("x/in", "deep")
            .file("x", "file again")
            .directory("y")
            .symlink("y", "x")
            .symlink("z", "nowhere")
            .file("z", "plain")
            .fifo("w")
            .device('3', "w", 1, 5)
            .file("w", "last")
            .write(temp.resolve("replace.tar"));
    Path to = temp.resolve("replaced");
    runtime("rootfs", "unpack", archive.toString(), to.toString()).succeeds();
    assertThat(to.resolve("x")).hasContent("file again");
    assertThat(Files.readSymbolicLink(to.resolve("y"))).hasToString("x");
    assertThat(to.resolve("z")).hasContent("plain");
    assertThat(to.resolve("w")).hasContent("last");
  }

  @Test
  void entriesBelowALinkGoWhereItLeadsInside() throws IOException {
    Path archive =
        new TarBuilder()
            .directory("usr")
            .directory("usr/bin")
            .symlink("bin", "usr/bin")
            .symlink("lib", "/usr/lib")
            .file("bin/sh", "shell")
            .file("lib/libc", "c")
            .hardLink("bin/ash", "bin/sh")
            .file("usr/bin/sh", "another")
            .write(temp.resolve("merged.tar"));
    Path to = temp.resolve("merged");
    runtime("rootfs", "unpack", archive.toString(), to.toString()).succeeds();
    assertThat(to.resolve("usr/bin/sh")).hasContent("another");
    assertThat(to.resolve("usr/bin/ash")).hasContent("shell");
    assertThat(to.resolve("usr/lib/libc")).hasContent("c");
    assertThat(Files.isSymbolicLink(to.resolve("bin"))).isTrue();
  }

  @Test
  void idsAreMapped() throws IOException {
    Path archive =
        new TarBuilder()
            .owner(0, 5)
            .file("root", "")
            .owner(9, 0)
            .file("nine", "")
            .write(temp.resolve("ids"));
    Path to = temp.resolve("mapped");
    runtime(
            "rootfs",
            "unpack",
            "--uid-map",
            "0:100000:1000",
            "--gid-map",
            "0:200000:10",
            archive.toString(),
            to.toString())
        .succeeds();
    assertThat(Files.getAttribute(to.resolve("root"), "unix:uid")).isEqualTo(100000);
    assertThat(Files.getAttribute(to.resolve("root"), "unix:gid")).isEqualTo(200005);
    assertThat(Files.getAttribute(to.resolve("nine"), "unix:uid")).isEqualTo(100009);
    assertThat(Files.getAttribute(to, "unix:uid")).isEqualTo(100000);
    Path other = new TarBuilder().owner(1000, 0).file("outside", "").write(temp.resolve("ids2"));
    runtime("rootfs", "unpack", "--uid-map", "0:100000:1000", other.toString(), temp + "/unmapped")
        .failsInOneLine("outside", "1000", "no mapping");
  }

  @Test
  void anOrdinaryUserRecordsOwnersAndSkipsDevices() throws IOException {
    Path archive =
        new TarBuilder()
            .mode(0555)
            .directory("sealed")
            .owner(10, 20)
            .mode(04755)
            .file("sealed/f", "x")
            .device('3', "null", 1, 3)
            .write(temp.resolve("user.tar"));
    Path to = Files.createDirectory(temp.resolve("user"));
    Command.of("chown", "65534:65534", to.toString()).run().succeeds();
    Outcome outcome =
        Command.of(
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                RUNTIME.path().toString(),
                "rootfs",
                "unpack",
                archive.toString(),
                to + "/d")
            .with("JRUN_ENGINE", "off")
            .run()
            .succeeds();
    assertThat(outcome.err()).contains("skipped 1 device");
    assertThat(to.resolve("d/null")).doesNotExist();
    assertThat(Files.getAttribute(to.resolve("d/sealed/f"), "unix:uid")).isEqualTo(65534);
    assertThat(Command.of("stat", "-c", "%a", to + "/d/sealed", to + "/d/sealed/f").run().text())
        .isEqualTo("555\n4755");
    assertThat(
            Command.of(
                    "getfattr",
                    "--absolute-names",
                    "--only-values",
                    "-e",
                    "hex",
                    "-n",
                    "user.rootlesscontainers",
                    to + "/d/sealed/f")
                .run()
                .succeeds()
                .out())
        .isEqualTo("\u0008\n\u0010\u0014");
  }

  @Test
  void aFullDiskIsAClearErrorAndLeavesNothing() throws IOException {
    Path disk = Files.createDirectory(temp.resolve("disk"));
    Command.of("mount", "-t", "tmpfs", "-o", "size=2m", "none", disk.toString()).run().succeeds();
    try {
      Path archive = new TarBuilder().file("big", new byte[5 << 20]).write(temp.resolve("big.tar"));
      runtime("rootfs", "unpack", archive.toString(), disk + "/d")
          .failsInOneLine("big", "no space left");
      assertThat(disk).isEmptyDirectory();
    } finally {
      Command.of("umount", disk.toString()).run().succeeds();
    }
  }

  @Test
  void whatAKilledProcessLeftGoesWithTheNext() throws IOException {
    Path archive = temp.resolve("slow");
    Command.of("mkfifo", archive.toString()).run().succeeds();
    Path to = temp.resolve("killed");
    Command.Running running =
        Command.of(
                "bash",
                "-c",
                "exec 3<>$0; echo started; exec $1 rootfs unpack - $2 <&3",
                archive.toString(),
                RUNTIME.path().toString(),
                to.toString())
            .with("JRUN_ENGINE", "off")
            .start();
    Files.write(archive, new TarBuilder().file("f", "x").bytes());
    assertThat(eventually(() -> temporaries() == 1)).isTrue();
    running.process().destroyForcibly();
    running.finish();
    assertThat(to).doesNotExist();
    Path whole = new TarBuilder().file("f", "x").write(temp.resolve("whole.tar"));
    runtime("rootfs", "unpack", whole.toString(), to.toString()).succeeds();
    assertThat(eventually(() -> temporaries() == 0)).isTrue();
    assertThat(to.resolve("f")).hasContent("x");
  }

  private long temporaries() {
    try (var files = Files.list(temp)) {
      return files.filter(path -> path.getFileName().toString().contains(".jrun-")).count();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aClientThatIsKilledWhileTheStreamIsSilentLeavesNobodyWaiting() throws Exception {
    Path fifo = temp.resolve("fifo");
    Command.of("mkfifo", fifo.toString()).run().succeeds();
    byte[] archive = new TarBuilder().mode(0755).directory("d").file("d/f", "x").bytes();
    for (int sent : new int[] {0, 1024}) {
      Process writer =
          new ProcessBuilder(
                  "sh", "-c", "exec 9>\"$0\"; cat >&9; exec sleep 1000 9>&9", fifo.toString())
              .start();
      Command.Running running =
          Command.of(RUNTIME.path().toString(), "rootfs", "unpack", fifo.toString(), temp + "/to")
              .with("JRUN_ENGINE", "off")
              .start();
      writer.getOutputStream().write(archive, 0, sent);
      writer.getOutputStream().close();
      assertThat(eventually(() -> running.process().descendants().findAny().isPresent())).isTrue();
      pause(1500);
      List<ProcessHandle> engine = running.process().descendants().toList();
      running.process().destroyForcibly();
      running.finish();
      try {
        assertThat(eventually(() -> engine.stream().noneMatch(ProcessHandle::isAlive)))
            .as("the one-shot engine ends, after %d bytes", sent)
            .isTrue();
      } finally {
        engine.forEach(ProcessHandle::destroyForcibly);
        writer.destroyForcibly().waitFor();
      }
    }
  }

  @Test
  void whatXzMakesWithItsLargestDictionaryIsRead() throws IOException {
    Path tree = Files.createDirectory(temp.resolve("tree"));
    Command.of(
            "bash",
            "-c",
            "cd $0/tree; head -c 3M /dev/urandom > r; cp r again; cd ..; tar -C tree -c . | xz -9 -T1"
                + " --lzma2=preset=0,dict=64MiB > a.tar.xz; tar -C tree -c r | xz -0 > b.xz",
            temp.toString())
        .run()
        .succeeds();
    runtime("rootfs", "unpack", temp + "/a.tar.xz", temp + "/to").succeeds();
    assertThat(temp.resolve("to/again")).hasSameBinaryContentAs(tree.resolve("r"));
    byte[] whole = Files.readAllBytes(temp.resolve("b.xz"));
    Files.write(temp.resolve("huge.xz"), withDictionaryOf512MiB(whole));
    runtime("rootfs", "unpack", temp + "/huge.xz", temp + "/huge").failsInOneLine("MiB of memory");
    for (int cut : new int[] {1, 100, whole.length / 2}) {
      Files.write(temp.resolve("cut.xz"), java.util.Arrays.copyOf(whole, whole.length - cut));
      runtime("rootfs", "unpack", temp + "/cut.xz", temp + "/cut").failsInOneLine("truncated");
    }
    whole[whole.length / 2] ^= 1;
    Files.write(temp.resolve("cut.xz"), whole);
    runtime("rootfs", "unpack", temp + "/cut.xz", temp + "/cut").failsInOneLine("damaged");
    assertThat(temp.resolve("cut")).doesNotExist();
  }

  /// What only a machine with gigabytes of memory can make, by its header: behind the stream's 12
  /// bytes that of the block, of 8 bytes and their CRC, the fifth of them the dictionary's size.
  private static byte[] withDictionaryOf512MiB(byte[] xz) {
    byte[] huge = xz.clone();
    huge[16] = 34;
    CRC32 crc = new CRC32();
    crc.update(huge, 12, 8);
    ByteBuffer.wrap(huge).order(ByteOrder.LITTLE_ENDIAN).putInt(20, (int) crc.getValue());
    return huge;
  }
}
