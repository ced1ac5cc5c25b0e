package io.jrun.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// A bundle directory with a busybox root filesystem.
record Bundle(Path path) {

  private static final Path BUSYBOX = Path.of("/bin/busybox");

  /// Makes the root filesystem; config.json comes from [#write].
  static Bundle create(Path path) throws IOException {
    Path rootfs = Files.createDirectories(path.resolve("rootfs"));
    for (String name :
        List.of(
            "bin", "dev", "etc", "home", "mnt", "proc", "root", "sys", "tmp", "usr/bin", "var")) {
      Files.createDirectories(rootfs.resolve(name));
    }
    Files.setPosixFilePermissions(
        rootfs.resolve("tmp"), PosixFilePermissions.fromString("rwxrwxrwx"));
    if (!Files.isExecutable(BUSYBOX)) {
      throw new AssertionError("these tests need " + BUSYBOX + ": apt-get install busybox-static");
    }
    Path busybox = rootfs.resolve("bin/busybox");
    Files.copy(BUSYBOX, busybox);
    Files.setPosixFilePermissions(busybox, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String applet : Applets.NAMES) {
      if (!applet.equals("busybox")) {
        Files.createSymbolicLink(rootfs.resolve("bin").resolve(applet), Path.of("busybox"));
      }
    }
    Files.writeString(
        rootfs.resolve("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home:/bin/sh\n");
    Files.writeString(rootfs.resolve("etc/group"), "root:x:0:\nalice:x:1000:\nstaff:x:50:alice\n");
    Files.writeString(rootfs.resolve("etc/hostname"), "busybox\n");
    return new Bundle(path);
  }

  Path rootfs() {
    return path.resolve("rootfs");
  }

  Bundle write(Config config) throws IOException {
    Path file = path.resolve("config.json");
    Path whole = path.resolve("config.json.new"); // another command may be reading the file
    Files.writeString(whole, config.text());
    Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
    return this;
  }

  /// The names under which this machine's busybox can be called, asked once.
  private static final class Applets {
    static final List<String> NAMES =
        Command.of(BUSYBOX.toString(), "--list").run().succeeds().lines();
  }
}
