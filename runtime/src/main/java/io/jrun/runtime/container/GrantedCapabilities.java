package io.jrun.runtime.container;

import io.jrun.rootfs.CallerFiles;
import io.jrun.specs.runtime.Capabilities;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/// The capabilities that a caller can grant. config.md wants a warning of others, and no failure.
final class GrantedCapabilities {
  private static final List<String> SETS = List.of("CapPrm", "CapBnd");

  private GrantedCapabilities() {}

  /// Those of this process.
  static long own() throws IOException {
    String status = Files.readString(Path.of("/proc/self/status"), StandardCharsets.ISO_8859_1);
    return inAll(set -> CallerFiles.capabilities(status, set));
  }

  private static long inAll(ToLongFunction<String> mask) {
    return SETS.stream().mapToLong(mask).reduce(-1, (a, b) -> a & b);
  }

  /// The process with those of its capabilities that its caller has.
  static Process of(Containers containers, ClientProcess client, Config config, Process process) {
    Capabilities asked = process.capabilities();
    // in a user namespace the process has them all
    if (asked == null || config.linux().namespace(NamespaceType.USER) != null) return process;
    long all = mask(asked);
    // who has what the engine has need not be asked
    if ((all & ~containers.capabilities()) == 0) return process;
    CallerFiles caller = new CallerFiles(containers.kernel, client.helper, client.env());
    long granted = inAll(caller::capabilities);
    if ((all & ~granted) == 0) return process;
    client.log.warning(
        "capabilities that the caller does not have cannot be granted: "
            + String.join(", ", names(all & ~granted)));
    return process.withCapabilities(
        new Capabilities(
            both(asked.bounding(), granted),
            both(asked.effective(), granted),
            both(asked.inheritable(), granted),
            both(asked.permitted(), granted),
            both(asked.ambient(), granted),
            asked.unknown()));
  }

  private static long mask(Capabilities all) {
    return Stream.of(
            all.bounding(), all.effective(), all.inheritable(), all.permitted(), all.ambient())
        .mapToLong(io.jrun.runtime.process.Capabilities::mask)
        .reduce(0, (a, b) -> a | b);
  }

  private static List<String> names(long mask) {
    return io.jrun.runtime.process.Capabilities.names(mask);
  }

  private static List<String> both(List<String> asked, long granted) {
    return names(io.jrun.runtime.process.Capabilities.mask(asked) & granted);
  }
}
