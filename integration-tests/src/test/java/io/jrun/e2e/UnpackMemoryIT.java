package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// `rootfs unpack` takes less than 200 MB, whatever the archive: the largest resident size that the
/// engine and the processes of the caller had.
@JrunOnly
class UnpackMemoryIT extends EndToEnd {
  private static final long LIMIT = 200_000_000;
  private static final int CONTENT_MIB = 150;

  /// Prints the exit status, the engine's peak and that of the client with its children, in KiB.
  private static final String MEASURE =
      """
      import json, resource, subprocess, sys
      jrun, archive, to = sys.argv[1:]
      status = subprocess.run([jrun, "rootfs", "unpack", archive, to]).returncode
      ours = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
      engine = json.loads(subprocess.run([jrun, "engine", "status", "--format", "json"], capture_output=True).stdout)
      with open(f"/proc/{engine['pid']}/status") as lines:
          peak = next(line for line in lines if line.startswith("VmHWM")).split()[1]
      subprocess.run([jrun, "engine", "stop"])
      print("measured", status, peak, ours)
      """;

  /// An engine of its own, as each network namespace has one.
  private Outcome measure(Path archive) {
    Path to = temp.resolve(archive.getFileName() + ".d");
    return Command.of(
            "unshare",
            "--net",
            "python3",
            "-c",
            MEASURE,
            RUNTIME.path().toString(),
            archive.toString(),
            to.toString())
        .run()
        .succeeds();
  }

  private void staysBelowTheLimit(Path archive) {
    List<String> words = Arrays.asList(measure(archive).out().strip().split(" "));
    assertThat(words.get(1)).as("status for %s", archive).isEqualTo("0");
    assertThat(Long.parseLong(words.get(2)) * 1024).as("engine, %s", archive).isLessThan(LIMIT);
    assertThat(Long.parseLong(words.get(3)) * 1024).as("writer, %s", archive).isLessThan(LIMIT);
  }

  /// A large file that compresses by a factor below the limit, though not by much effort.
  private Path plain(int mebibytes) throws IOException {
    Path tree = Files.createDirectories(temp.resolve("large"));
    Random random = new Random(1);
    byte[] block = new byte[4096];
    random.nextBytes(block);
    byte[] some = new byte[64];
    try (OutputStream out =
        new BufferedOutputStream(Files.newOutputStream(tree.resolve("file")), 1 << 20)) {
      for (int i = 0; i < mebibytes * 256; i++) {
        random.nextBytes(some);
        System.arraycopy(some, 0, block, 0, some.length);
        out.write(block);
      }
    }
    Path archive = temp.resolve("large-" + mebibytes + ".tar");
    Command.of("tar", "-C", tree.toString(), "-cf", archive.toString(), ".").run().succeeds();
    Files.delete(tree.resolve("file"));
    return archive;
  }

  /// From standard input, so that the stream declares its window, not the content's size.
  private Path compressed(Path plain, String suffix, String command) {
    Path archive = temp.resolve(plain.getFileName() + suffix);
    Command.of("bash", "-c", command + " < $0 > $1", plain.toString(), archive.toString())
        .run()
        .succeeds();
    return archive;
  }

  /// In the header of the first frame (RFC 8878, 3.1.1.1.2), as zstd itself needs as much memory to
  /// write such a stream.
  private static void declareWindow(Path zstd, int log) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(zstd.toFile(), "rw")) {
      file.seek(5);
      file.write(log - 10 << 3);
    }
  }

  @Test
  void ordinaryArchivesStayBelowTheLimit() throws IOException {
    Path plain = plain(CONTENT_MIB);
    staysBelowTheLimit(plain);
    staysBelowTheLimit(compressed(plain, ".gz", "gzip -1"));
    staysBelowTheLimit(compressed(plain(10), ".bz2", "bzip2"));
  }

  @Test
  void theLargestDictionariesStayBelowTheLimit() throws IOException {
    Path plain = plain(CONTENT_MIB);
    // the dictionary of xz -9, in the time of xz -0
    staysBelowTheLimit(compressed(plain, ".xz", "xz --lzma2=preset=0,dict=64MiB"));
    staysBelowTheLimit(compressed(plain, ".26.zst", "zstd -q -1 --long=26"));
  }

  @Test
  void largerDictionariesAreRefusedByName() throws IOException {
    Path plain = plain(CONTENT_MIB);
    Path zstd = compressed(plain, ".27.zst", "zstd -q -1 --long=27");
    assertThat(measure(zstd).err()).contains("the zstd stream needs a window of more than 64 MiB");
    declareWindow(zstd, 31);
    assertThat(measure(zstd).err()).contains("the zstd stream needs a window of more than 64 MiB");
    assertThat(measure(compressed(plain, ".xz", "xz --lzma2=preset=0,dict=128MiB")).err())
        .contains("the xz stream needs more than 80 MiB of memory");
  }

  @Test
  void manyEntriesWithLongNamesAndLargeHeadersStayBelowTheLimit() {
    TarBuilder tar = new TarBuilder();
    String record = "comment=" + "c".repeat(1_000_000);
    for (int i = 0; i < 20; i++) tar.pax(record).file("f" + i, "content");
    String directory = ("n".repeat(250) + "/").repeat(15);
    for (int i = 0; i < 4000; i++) tar.pax("path=" + directory + i).file("x", "");
    staysBelowTheLimit(tar.write(temp.resolve("names.tar")));
  }
}
