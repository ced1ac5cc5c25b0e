package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Archives that try to reach what lies outside of the directory.
@JrunOnly
class UnpackAttacksIT extends EndToEnd {
  private Path outside() throws IOException {
    Path outside = Files.createDirectory(temp.resolve("outside"));
    Files.writeString(outside.resolve("victim"), "untouched");
    return outside;
  }

  private Map<String, TarBuilder> attacks(Path outside) {
    String out = outside.toString();
    String up = "../".repeat(20) + out.substring(1);
    Map<String, TarBuilder> attacks = new LinkedHashMap<>();
    attacks.put("absolute name", new TarBuilder().file(out + "/victim", "evil"));
    attacks.put("dots", new TarBuilder().file(up + "/victim", "evil"));
    attacks.put("dots after a name", new TarBuilder().file("a/../" + up + "/victim", "evil"));
    attacks.put("dots in a directory", new TarBuilder().directory(up).file(up + "/new", "evil"));
    attacks.put(
        "absolute link, then through it",
        new TarBuilder().symlink("l", out).file("l/victim", "evil").file("l/new", "evil"));
    attacks.put(
        "relative link, then through it",
        new TarBuilder().symlink("l", up).file("l/victim", "evil").directory("l/d"));
    attacks.put(
        "link to a link",
        new TarBuilder().symlink("a", "b").symlink("b", up).file("a/victim", "evil"));
    attacks.put(
        "link with the file's name",
        new TarBuilder().symlink("v", out + "/victim").file("v", "evil"));
    attacks.put(
        "directory replaced by a link",
        new TarBuilder().directory("d").file("d/x", "").symlink("d", out).file("d/victim", "evil"));
    attacks.put(
        "link replaced by a directory and back",
        new TarBuilder()
            .symlink("d", out)
            .directory("d")
            .file("d/x", "")
            .symlink("d", out)
            .mode(0777)
            .directory("d"));
    attacks.put("root as a link", new TarBuilder().symlink(".", out).file("victim", "evil"));
    attacks.put(
        "hard link to the outside",
        new TarBuilder().hardLink("h", out + "/victim").file("h", "evil"));
    attacks.put(
        "hard link with dots", new TarBuilder().hardLink("h", up + "/victim").file("h", "evil"));
    attacks.put(
        "hard link through a link",
        new TarBuilder().symlink("l", out).hardLink("h", "l/victim").file("h", "evil"));
    attacks.put(
        "hard link to a link, then written",
        new TarBuilder().symlink("l", out + "/victim").hardLink("h", "l").file("h", "evil"));
    attacks.put(
        "modes and owners through a link",
        new TarBuilder().owner(1, 1).mode(04777).symlink("l", out + "/victim"));
    attacks.put(
        "device in place of a link",
        new TarBuilder().symlink("l", out + "/new").device('3', "l", 1, 3));
    attacks.put(
        "long name by extended header",
        new TarBuilder().pax("path=" + up + "/victim").file("x", "evil"));
    attacks.put(
        "link by extended header",
        new TarBuilder().pax("linkpath=" + out).symlink("l", "x").file("l/victim", "evil"));
    attacks.put("whiteout of what is above", new TarBuilder().file(up + "/.wh.victim", ""));
    attacks.put("many links", manyLinks(out));
    for (String target : List.of(out, up)) attacks.putAll(newNames(target));
    return attacks;
  }

  /// Names that are free outside, so that nothing that is there stands in the way.
  private static Map<String, TarBuilder> newNames(String target) {
    Map<String, TarBuilder> attacks = new LinkedHashMap<>();
    attacks.put("new file by " + target, through(target).file("l/new", "evil"));
    attacks.put("new directory by " + target, through(target).directory("l/new"));
    attacks.put("new link by " + target, through(target).symlink("l/new", "x"));
    attacks.put("new FIFO by " + target, through(target).fifo("l/new"));
    attacks.put("new device by " + target, through(target).device('3', "l/new", 1, 3));
    attacks.put(
        "new hard link by " + target, through(target).file("f", "evil").hardLink("l/new", "f"));
    attacks.put(
        "file in a new directory by " + target, through(target).file("l/new/deep/er", "evil"));
    attacks.put(
        "new file by two links to " + target,
        new TarBuilder().symlink("m", "l").symlink("l", target).file("m/new", "evil"));
    attacks.put("mode of the directory by " + target, through(target).mode(0707).directory("l/."));
    return attacks;
  }

  private static TarBuilder through(String target) {
    return new TarBuilder().symlink("l", target);
  }

  private static TarBuilder manyLinks(String out) {
    TarBuilder tar = new TarBuilder().symlink("l0", out);
    for (int i = 1; i < 60; i++) tar.symlink("l" + i, "l" + (i - 1));
    return tar.file("l59/victim", "evil");
  }

  @Test
  void nothingOutsideChanges() throws IOException {
    Path outside = outside();
    List<String> before = Trees.of(outside);
    int number = 0;
    for (Map.Entry<String, TarBuilder> attack : attacks(outside).entrySet()) {
      Path archive = attack.getValue().write(temp.resolve("attack-" + number));
      Path to = temp.resolve("to-" + number++);
      Outcome outcome = runtime("rootfs", "unpack", archive.toString(), to.toString());
      assertThat(Trees.of(outside)).as(attack.getKey()).isEqualTo(before);
      if (outcome.status() != 0) {
        assertThat(outcome.err().strip().lines().toList()).as(attack.getKey()).hasSize(1);
        assertThat(to).as(attack.getKey()).doesNotExist();
      }
      Path zipped = temp.resolve("attack.gz");
      Command.of("bash", "-c", "gzip -c $0 > $1", archive.toString(), zipped.toString()).run();
      runtime("rootfs", "unpack", zipped.toString(), temp + "/zipped-" + number);
      assertThat(Trees.of(outside)).as("compressed: %s", attack.getKey()).isEqualTo(before);
    }
  }

  @Test
  void aLinkSwappedInByAnotherProcessLeadsNowhere() throws Exception {
    Path outside = outside();
    List<String> before = Trees.of(outside);
    TarBuilder tar = new TarBuilder().mode(0755).directory("d");
    for (int i = 0; i < 20_000; i++) tar.file("d/f" + i, "evil");
    Path archive = tar.write(temp.resolve("race.tar"));
    // whoever may write into the temporary directory exchanges d and a link, again and again
    Process swapper =
        new ProcessBuilder(
                "python3",
                "-c",
                """
                import ctypes, glob, os, sys, time
                libc = ctypes.CDLL(None, use_errno=True)
                base, out = sys.argv[1], sys.argv[2]
                while True:
                    for t in glob.glob(base + '/.race-to.jrun-*'):
                        try:
                            if not os.path.lexists(t + '/swap'): os.symlink(out, t + '/swap')
                        except OSError: pass
                        libc.renameat2(-100, (t + '/swap').encode(), -100, (t + '/d').encode(), 2)
                """,
                temp.toString(),
                outside.toString())
            .start();
    try {
      for (int i = 0; i < 5; i++) {
        Outcome outcome = runtime("rootfs", "unpack", archive.toString(), temp + "/race-to");
        assertThat(outcome.status()).isIn(0, 1);
        assertThat(Trees.of(outside)).isEqualTo(before);
        Command.of("rm", "-rf", temp + "/race-to").run();
      }
    } finally {
      swapper.destroyForcibly().waitFor();
      Command.of("bash", "-c", "rm -rf " + temp + "/.race-to*").run();
    }
  }

  @Test
  void damageAndExcessAreRefusedByName() throws IOException {
    Map<String, TarBuilder> refused = new LinkedHashMap<>();
    refused.put("which the archive has not brought", new TarBuilder().hardLink("h", "missing"));
    refused.put("longer than 255", new TarBuilder().pax("path=" + "n".repeat(256)).file("x", ""));
    refused.put(
        "longer than 4095", new TarBuilder().pax("path=" + "n/".repeat(2100)).file("x", ""));
    refused.put("not a directory", new TarBuilder().file("f", "").file("f/g", ""));
    refused.put("too many levels", loop());
    refused.put("not known", new TarBuilder().entry('Q', "odd", "", new byte[0], 0, 0));
    refused.put("volumes", new TarBuilder().entry('M', "odd", "", new byte[0], 0, 0));
    refused.put(
        "extended header is damaged",
        new TarBuilder()
            .entry('x', "x", "", "99 a=b\n".getBytes(StandardCharsets.US_ASCII), 0, 0)
            .file("f", ""));
    refused.put("not an id", new TarBuilder().pax("uid=4294967295").file("f", ""));
    refused.put("negative", new TarBuilder().pax("size=-5").file("f", ""));
    int number = 0;
    for (Map.Entry<String, TarBuilder> entry : refused.entrySet()) {
      Path archive = entry.getValue().write(temp.resolve("refused-" + number));
      Path to = temp.resolve("refused-" + number++ + ".d");
      runtime("rootfs", "unpack", archive.toString(), to.toString()).failsInOneLine(entry.getKey());
      assertThat(to).doesNotExist();
    }
    Path many = new TarBuilder().file("a", "").file("b", "").file("c", "").write(temp.resolve("m"));
    runtime("rootfs", "unpack", "--max-entries", "2", many.toString(), temp + "/m.d")
        .failsInOneLine("more than 2 entries");
    Path garbage = Files.write(temp.resolve("garbage"), new byte[2048]);
    Files.write(garbage, "this is no archive".repeat(100).getBytes(StandardCharsets.US_ASCII));
    runtime("rootfs", "unpack", garbage.toString(), temp + "/g.d")
        .failsInOneLine("not a tar archive");
  }

  private static TarBuilder loop() {
    return new TarBuilder().symlink("a", "b").symlink("b", "a").file("a/x", "");
  }

  @Test
  void streamsThatExpandTooFarAreRefused() throws IOException {
    Path bomb = temp.resolve("bomb.zst");
    Command.of(
            "bash",
            "-c",
            "mkdir $0/zeros; head -c 200M /dev/zero > $0/zeros/z; tar -C $0/zeros -c . | zstd -q -19"
                + " > $1",
            temp.toString(),
            bomb.toString())
        .run()
        .succeeds();
    runtime("rootfs", "unpack", bomb.toString(), temp + "/bomb.d").failsInOneLine("--max-ratio");
    runtime("rootfs", "unpack", "--max-size", "1000000", bomb.toString(), temp + "/bomb.d")
        .failsInOneLine("--max-size");
    List<String> left = new ArrayList<>();
    try (var files = Files.list(temp)) {
      files.map(Path::toString).filter(name -> name.contains("bomb.d")).forEach(left::add);
    }
    assertThat(left).isEmpty();
  }
}
