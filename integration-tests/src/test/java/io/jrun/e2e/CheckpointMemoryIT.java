package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// Memory that is saved beforehand, or fetched when it is needed.
@EnabledIf(value = "io.jrun.e2e.CheckpointTest#criuWorks", disabledReason = CheckpointTest.NO_CRIU)
class CheckpointMemoryIT extends CheckpointTest {
  @Test
  void memoryIsSavedBeforehand() throws IOException {
    assumeFeature("mem_dirty_track");
    startCounting();
    Path parent = temp.resolve("parent");
    command("checkpoint", "--pre-dump", "--image-path", parent.toString(), id).run().succeeds();
    assertThat(status()).isEqualTo("running");
    checkpoint("--parent-path", "../parent").succeeds();
    assertThat(images.resolve("parent")).exists();
    int saved = count();
    restore();
    awaitCountAbove(saved);
  }

  /// What the checkpoint has anew is punched out of the files it was saved to beforehand.
  @Test
  void whatIsSavedAgainIsTakenOutOfTheParent() throws IOException {
    assumeFeature("mem_dirty_track");
    startCounting();
    Path parent = temp.resolve("parent");
    command("checkpoint", "--pre-dump", "--image-path", parent.toString(), id).run().succeeds();
    long before = blocksOfPages(parent);
    int saved = count();
    awaitCountAbove(saved);
    checkpoint("--parent-path", "../parent", "--auto-dedup").succeeds();
    assertThat(blocksOfPages(parent)).isLessThan(before);
    saved = count();
    restore();
    awaitCountAbove(saved);
  }

  /// On the disk, of which holes in a file are none.
  private static long blocksOfPages(Path images) {
    String script = "stat -c %b \"$0\"/pages-*.img";
    String blocks = Command.of("sh", "-c", script, images.toString()).run().succeeds().out();
    return blocks.lines().mapToLong(Long::parseLong).sum();
  }

  /// Each of the images has what has changed since the one before.
  @Test
  void memoryIsSavedInAChain() throws IOException {
    assumeFeature("mem_dirty_track");
    startCounting();
    for (String name : List.of("first", "second", "third")) {
      List<String> words = new ArrayList<>(List.of("checkpoint", "--pre-dump"));
      if (!name.equals("first"))
        words.addAll(List.of("--parent-path", name.equals("second") ? "../first" : "../second"));
      words.addAll(List.of("--image-path", temp.resolve(name).toString(), id));
      command(words.toArray(String[]::new)).run().succeeds();
      awaitCountAbove(count() + 1);
    }
    checkpoint("--parent-path", "../third").succeeds();
    for (String name : List.of("second", "third", "images"))
      assertThat(temp.resolve(name).resolve("parent")).exists();
    int saved = count();
    restore();
    awaitCountAbove(saved);
  }

  @Test
  @JrunOnly // the text is that of later runcs
  void memoryThatCannotBeWatchedIsNotSavedBeforehand() throws IOException {
    assumeTrue(
        Command.of("criu", "check", "--feature", "mem_dirty_track").run().status() != 0,
        "criu can watch memory here");
    startCounting();
    assertThat(checkpoint("--pre-dump").fails().err())
        .contains("criu is missing features: [MemTrack]");
    assertThat(status()).isEqualTo("running");
  }

  /// CRIU's lazy-pages daemon has them from the images.
  @Test
  void pagesAreFetchedWhenTheyAreNeeded() throws IOException {
    assumeFeature("uffd-noncoop");
    startCounting();
    checkpoint().succeeds();
    int saved = count();
    Command.Running daemon =
        Command.of("criu", "lazy-pages", "-D", images.toString(), "-W", images.toString()).start();
    assertThat(eventually(() -> Files.exists(images.resolve("lazy-pages.socket"))))
        .as("the daemon listens")
        .isTrue();
    restore("--lazy-pages", "--work-path", images.toString());
    awaitCountAbove(saved);
    killAndDelete();
    daemon.finish().succeeds();
  }

  @Test
  void withoutADaemonThereIsNoLazyRestore() throws IOException {
    assumeFeature("uffd-noncoop");
    startCounting();
    checkpoint().succeeds();
    assertThat(quietly(restoreCommand("--detach", "--lazy-pages")).fails().err())
        .contains("lazy-pages.socket");
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
  }

  /// The daemon takes what it is to serve, and never does. Whether CRIU itself comes to need a
  /// page, or only the container when it is restored, depends on what init was doing.
  @Test
  @JrunOnly // with runc CRIU and the container's cgroups stay
  void aRestoreThatWaitsForPagesCanBeDeleted() throws IOException {
    assumeFeature("uffd-noncoop");
    Machine.assumeInstalled("python3");
    startCounting();
    checkpoint().succeeds();
    String script =
        """
        import os, signal, socket, sys
        os.chdir(sys.argv[1])
        listener = socket.socket(socket.AF_UNIX); listener.bind("lazy-pages.socket"); listener.listen(1)
        criu = listener.accept()[0]; got = socket.recv_fds(criu, 4, 1)
        os.write(1, b"asked"); signal.pause()
        """;
    Command.Running daemon = Command.of("python3", "-c", script, images.toString()).start();
    assertThat(eventually(() -> Files.exists(images.resolve("lazy-pages.socket")))).isTrue();
    Command.Running restore = restoreCommand("--detach", "--lazy-pages").start();
    assertThat(eventually(() -> said(daemon).equals("asked"))).isTrue();
    runtime("delete", "--force", id).succeeds();
    Outcome restored = restore.finish();
    if (restored.status() != 0)
      assertThat(restored.err()).contains("deleted while it was restored");
    assertThat(ids()).isEmpty();
    assertThat(cgroups()).isEmpty();
    daemon.process().destroy();
    daemon.finish();
  }

  /// From the container that is saved to another host: only the serving side, as CRIU's page server
  /// fails on the kernels that tests ran on, with runc, too.
  @Test
  void pagesCanBeServedLazily() throws IOException {
    Command.Running checkpoint = serveLazily();
    assertThat(images.resolve("inventory.img")).exists();
    checkpoint.process().descendants().forEach(ProcessHandle::destroyForcibly);
    checkpoint.finish();
    runtime("delete", "--force", id).succeeds();
  }

  /// CRIU waits for somebody to fetch the pages, and traces what it has frozen meanwhile.
  @Test
  @JrunOnly // with runc init does not end, and CRIU stays
  void aContainerWhosePagesNobodyFetchesCanBeDeleted() throws IOException {
    Command.Running checkpoint = serveLazily();
    runtime("delete", "--force", id).succeeds();
    assertThat(checkpoint.finish().status()).isNotZero();
    assertThat(ids()).isEmpty();
  }

  @Test
  @JrunOnly // as above
  void soCanOneWhoseCheckpointWasKilled() throws IOException {
    Command.Running checkpoint = serveLazily();
    List<ProcessHandle> criu = checkpoint.process().descendants().toList();
    checkpoint.process().destroyForcibly();
    checkpoint.finish();
    runtime("delete", "--force", id).succeeds();
    assertThat(ids()).isEmpty();
    assertThat(eventually(() -> criu.stream().noneMatch(ProcessHandle::isAlive))).isTrue();
  }

  private Command.Running serveLazily() throws IOException {
    assumeFeature("uffd-noncoop");
    startCounting();
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Path ready = temp.resolve("ready");
    List<String> words = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 9> " + ready, "sh"));
    words.addAll(
        command(
                "checkpoint",
                "--lazy-pages",
                "--page-server",
                "127.0.0.1:" + port,
                "--status-fd",
                "9",
                "--image-path",
                images.toString(),
                id)
            .words());
    Command.Running checkpoint = Command.of(words).start();
    assertThat(eventually(() -> ready.toFile().length() == 1)).as("pages can be fetched").isTrue();
    return checkpoint;
  }
}
