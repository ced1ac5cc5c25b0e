package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.host.HostKernel;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeadEnginesTest {
  private final FileTime longAgo = FileTime.from(Instant.now().minus(Duration.ofDays(3)));

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path directory;

  private void files(String name, FileTime time) throws IOException {
    for (String suffix : List.of(".lock", ".log"))
      Files.setLastModifiedTime(Files.createFile(directory.resolve(name + suffix)), time);
  }

  private ServerSocketChannel listen(String name) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(directory.resolve(name + ".sock")));
    return server;
  }

  private List<String> left() throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void whatLivesAndWhatIsNewStays() throws IOException {
    FileTime now = FileTime.from(Instant.now());
    files("dead", longAgo);
    files("killed", longAgo);
    listen("killed").close(); // the socket stays
    files("new", now);
    files("lives", longAgo);
    Files.createFile(directory.resolve("another"));
    try (ServerSocketChannel lives = listen("lives")) {
      DeadEngines.remove(new HostKernel(), directory, Duration.ofDays(1));
      assertThat(left())
          .containsExactly(
              "another", "lives.lock", "lives.log", "lives.sock", "new.lock", "new.log");
    }
  }
}
