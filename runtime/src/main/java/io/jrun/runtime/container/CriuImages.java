package io.jrun.runtime.container;

import io.jrun.kernel.IoReason;
import io.jrun.runtime.cli.CriuOptions;
import io.jrun.runtime.criu.CriuException;
import io.jrun.runtime.criu.CriuRequest;
import io.jrun.runtime.criu.CriuRequest.CgroupsMode;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonString;
import io.jrun.specs.runtime.Config;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;

/// The directories of a checkpoint, and what is the same for dumping to and restoring from them.
final class CriuImages {
  /// Where the container's standard descriptors led, a JSON array; runc has the same.
  private static final String DESCRIPTORS = "descriptors.json";

  /// As with runc, whose callers configure CRIU there.
  private static final String CONFIG_FILE = "/etc/criu/runc.conf";

  private static final String CONFIG_ANNOTATION = "org.criu.config";
  private static final Set<PosixFilePermission> OWNERS =
      PosixFilePermissions.fromString("rwx------");
  private static final long CLONE_NEWNET = 0x40000000L;

  private final Path directory;
  private final Path work;
  private final CriuOptions options;
  private final String log;

  /// @param options with absolute paths
  /// @param log the name of CRIU's log
  CriuImages(CriuOptions options, String log) {
    this.options = options;
    this.directory = Path.of(options.imagePath());
    this.work = options.workPath() == null ? directory : Path.of(options.workPath());
    this.log = log;
    if (!Files.isDirectory(directory))
      throw new ContainerException(directory + ": no such directory of images");
    if (options.workPath() != null) make(options.workPath());
  }

  static void make(String path) {
    try {
      Files.createDirectories(Path.of(path), PosixFilePermissions.asFileAttribute(OWNERS));
    } catch (IOException e) {
      throw new ContainerException("cannot make the directory " + path + ": " + IoReason.of(e));
    }
  }

  /// A request with the options that dump and restore share.
  CriuRequest request(CriuRequest.Type type, Config config) {
    CriuRequest request =
        CriuRequest.of(type, options.imagePath(), options.workPath(), log)
            .tcpEstablished(options.tcpEstablished())
            .extUnixSk(options.extUnixSk())
            .shellJob(options.shellJob() && !inheritsTerminal(type))
            .fileLocks(options.fileLocks())
            .cgroups(mode())
            // devices of networks are nobody's but their makers': --empty-ns network changes
            // nothing
            .emptyNamespaces(CLONE_NEWNET)
            .autoDedup(options.autoDedup())
            .lazyPages(options.lazyPages());
    String file = config.annotations().getOrDefault(CONFIG_ANNOTATION, CONFIG_FILE);
    return file.isEmpty() ? request : request.configFile(file);
  }

  /// Whether the restored process is given its terminal, which CRIU then does not look for itself:
  /// it would take it for its own standard input, which it no longer has.
  private boolean inheritsTerminal(CriuRequest.Type type) {
    return type == CriuRequest.Type.RESTORE
        && readDescriptors().stream().anyMatch(ExternalFiles::isTerminal);
  }

  private CgroupsMode mode() {
    return switch (options.manageCgroupsMode()) {
      case "soft" -> CgroupsMode.SOFT;
      case "full" -> CgroupsMode.FULL;
      case "strict" -> CgroupsMode.STRICT;
      case "ignore" -> CgroupsMode.IGNORE;
      default -> CgroupsMode.DEFAULT;
    };
  }

  void writeDescriptors(List<String> targets) {
    Json json = new JsonArray(targets.stream().<Json>map(Json::of).toList());
    try {
      Files.writeString(directory.resolve(DESCRIPTORS), json.toText());
    } catch (IOException e) {
      throw new ContainerException(
          "cannot write " + directory.resolve(DESCRIPTORS) + ": " + IoReason.of(e));
    }
  }

  List<String> readDescriptors() {
    Path file = directory.resolve(DESCRIPTORS);
    try {
      Json json = Json.parse(Files.readAllBytes(file));
      if (json instanceof JsonArray array)
        return array.elements().stream()
            .map(each -> each instanceof JsonString text ? text.value() : "")
            .toList();
    } catch (IOException e) {
      throw new ContainerException("cannot read " + file + ": " + IoReason.of(e));
    }
    throw new ContainerException(file + ": not a JSON array");
  }

  /// CRIU's failure with the last error of its log that tells more than that it failed.
  ContainerException explained(CriuException failure) {
    Path file = work.resolve(log);
    String where = " (log file: " + file + ")";
    if (failure.wasKilled()) return new ContainerException(failure.getMessage() + where);
    String last = "";
    try {
      for (String line : Files.readString(file, StandardCharsets.ISO_8859_1).split("\n"))
        if (line.contains("Error")
            && !line.matches(".*(FAILED|failed with -1|cgroupd: recv req).*")) last = line.strip();
    } catch (IOException e) {
      return new ContainerException(String.valueOf(failure.getMessage()), null);
    }
    return new ContainerException(
        failure.getMessage() + (last.isEmpty() ? "" : ": " + last) + where);
  }
}
