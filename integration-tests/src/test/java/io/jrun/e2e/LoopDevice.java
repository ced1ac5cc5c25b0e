package io.jrun.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A disk of the test's own: a loop device over an empty file.
///
/// @param path in `/dev`
record LoopDevice(Path path) implements AutoCloseable {
  private static final String SIZE = "16M";

  static LoopDevice make(Path directory) {
    String file = directory.resolve("disk").toString();
    Command.of("truncate", "-s", SIZE, file).run().succeeds();
    return new LoopDevice(
        Path.of(Command.of("losetup", "--find", "--show", file).run().succeeds().text()));
  }

  private Path file(String name) {
    return Path.of("/sys/block", path.getFileName().toString(), name);
  }

  /// As cgroups write it: `major:minor`.
  String numbers() throws IOException {
    return Files.readString(file("dev")).strip();
  }

  /// The numbers as members of a config.
  String members() throws IOException {
    return "major:" + numbers().replace(":", ",minor:");
  }

  String schedulers() throws IOException {
    return Files.readString(file("queue/scheduler"));
  }

  void schedule(String scheduler) throws IOException {
    Files.writeString(file("queue/scheduler"), scheduler);
  }

  @Override
  public void close() throws IOException {
    schedule("none");
    Command.of("losetup", "--detach", path.toString()).run().succeeds();
  }
}
