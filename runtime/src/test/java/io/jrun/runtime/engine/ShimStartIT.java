package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.specs.proto.ProtoWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `containerd-shim-jrun-v2 start` where several are called at once, and where it cannot be done.
class ShimStartIT extends ShimTest {

  /// Those that were started with this test's address.
  private List<Path> keepers() throws IOException {
    String address = sandbox.top() + "/c.sock";
    List<Path> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      for (Path process : all.filter(p -> p.getFileName().toString().matches("[0-9]+")).toList()) {
        try {
          String line =
              new String(
                  Files.readAllBytes(process.resolve("cmdline")), StandardCharsets.ISO_8859_1);
          if (line.contains(address)) found.add(process);
        } catch (IOException e) {
          // it has ended meanwhile
        }
      }
    }
    return found;
  }

  @Test
  void ofManyStartsOfAGroupOneBecomesTheKeeper() throws Exception {
    sandbox.config(text ->
        text.replace(
            "\"ociVersion\":",
            "\"annotations\":{\"io.kubernetes.cri.sandbox-id\":\""
                + sandbox.tag()
                + "\"},\"ociVersion\":"));
    List<CompletableFuture<String>> starts = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      String id = sandbox.tag() + "-" + i;
      starts.add(
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return ShimPod.start(program(), sandbox.bundle(), sandbox.top(), id, new byte[0]);
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              },
              task -> Thread.ofPlatform().start(task)));
    }
    List<String> addresses = starts.stream().map(CompletableFuture::join).distinct().toList();
    assertThat(addresses).hasSize(1);
    shim();
    assertThat(pod.address()).isEqualTo(addresses.getFirst());
    assertThat(keepers()).hasSize(1);
    pod.shutDown();
    assertThat(keepers()).isEmpty();
  }

  @Test
  void aSocketWhosePathIsTooLongIsNamed() throws Exception {
    String directory = "/tmp/" + "x".repeat(60);
    byte[] params =
        new ProtoWriter().string(4, "2.3").string(5, "x").string(9, directory).toBytes();
    assertThatThrownBy(
            () -> ShimPod.start(program(), sandbox.bundle(), sandbox.top(), sandbox.tag(), params))
        .hasMessageContaining("the directory of sockets has too long a name");
    assertThat(keepers()).isEmpty();
    assertThat(Path.of(directory)).doesNotExist();
  }
}
