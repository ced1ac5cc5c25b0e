package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.host.HostKernel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The machine's loop devices, and images of file systems for them.
final class LoopDevices {
  private LoopDevices() {}

  /// Writes an ext4 of what is in the directory, without a journal: a copy of a mount that lives on
  /// does not keep the image from being mounted again.
  static Path image(Path directory, Path image) throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/usr/sbin/mkfs.ext4")), "needs mkfs.ext4");
    assumeTrue(Files.exists(Path.of("/dev/loop-control")), "needs /dev/loop-control");
    List<String> words =
        List.of(
            "/usr/sbin/mkfs.ext4",
            "-q",
            "-O",
            "^has_journal",
            "-d",
            directory.toString(),
            image.toString(),
            "16M");
    Process made = new ProcessBuilder(words).redirectErrorStream(true).start();
    assertThat(made.getInputStream().readAllBytes()).asString().doesNotContain("rror");
    assertThat(image).exists();
    return image;
  }

  /// Those in sysfs that have a file of this directory behind them.
  static List<Path> behind(Path directory) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/sys/block"))) {
      for (Path device : all.toList())
        if (file(device).startsWith(directory + "/")) found.add(device);
    }
    return found;
  }

  /// Of these, those that would not go by themselves: the kernel is not to clear them, or a process
  /// has them open. As long as a mount namespace that somebody else has made meanwhile lives, so
  /// does its copy of a mount, which is not looked at.
  static List<Path> kept(Path directory) throws IOException {
    List<Path> kept = new ArrayList<>();
    for (Path device : behind(directory)) {
      Path node = Path.of("/dev").resolve(device.getFileName());
      if (!isClearedByTheKernel(device) || isOpen(node)) kept.add(device);
    }
    return kept;
  }

  private static boolean isClearedByTheKernel(Path device) throws IOException {
    try {
      return Files.readString(device.resolve("loop/autoclear")).strip().equals("1");
    } catch (NoSuchFileException e) {
      return true; // it just went
    }
  }

  private static boolean isOpen(Path node) throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      return all.anyMatch(process -> hasOpen(process.resolve("fd"), node));
    }
  }

  private static boolean hasOpen(Path descriptors, Path node) {
    try (Stream<Path> all = Files.list(descriptors)) {
      for (Path descriptor : all.toList())
        if (Files.readSymbolicLink(descriptor).equals(node)) return true;
    } catch (IOException | UncheckedIOException e) {
      return false; // it has ended, or is none
    }
    return false;
  }

  private static String file(Path device) throws IOException {
    try {
      return Files.readString(device.resolve("loop/backing_file"));
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).contains("No such device")) return ""; // it just went
      throw e;
    }
  }

  /// A device that is free, and that nobody can put a file behind meanwhile.
  ///
  /// @param device in sysfs
  record Claim(Path device, OwnedDescriptor held) implements AutoCloseable {
    @Override
    public void close() {
      held.close();
    }
  }

  static Claim claimFree() {
    HostKernel kernel = new HostKernel();
    try (OwnedDescriptor control =
        OwnedDescriptor.open(
            kernel, FileCall.Openat.existing("/dev/loop-control", FileCall.O_RDWR))) {
      int free =
          kernel.call(
              new IoctlCall.Ioctl(control.descriptor(), IoctlCall.LOOP_CTL_GET_FREE, 0, false));
      int exclusive = FileCall.O_RDWR | FileCall.O_EXCL;
      return new Claim(
          Path.of("/sys/block/loop" + free),
          OwnedDescriptor.open(kernel, FileCall.Openat.existing("/dev/loop" + free, exclusive)));
    }
  }
}
