package io.jrun.e2e;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What a test needs of the machine beside the runtime; it is skipped where that is missing.
final class Machine {
  private Machine() {}

  static void assumeRoot() throws IOException {
    assumeTrue((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0, "needs root");
  }

  static boolean isInstalled(String program) {
    return Command.of("sh", "-c", "command -v \"$0\"", program).run().status() == 0;
  }

  static void assumeInstalled(String... programs) {
    for (String program : programs) {
      assumeTrue(isInstalled(program), program + " is not installed");
    }
  }
}
