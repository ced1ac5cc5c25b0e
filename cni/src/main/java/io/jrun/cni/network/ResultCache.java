package io.jrun.cni.network;

import io.jrun.cni.file.Replacement;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.LockFile;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Results of ADD in libcni's own format and place: `DIR/results/NETWORK-ID-IFNAME`.
public final class ResultCache {
  /// Where libcni has it.
  public static final Path DEFAULT = Path.of("/var/lib/cni");

  private final Kernel kernel;
  private final Path directory;

  public ResultCache(Kernel kernel, Path directory) {
    this.kernel = kernel;
    this.directory = directory;
  }

  private Path results() {
    return directory.resolve("results");
  }

  private Path file(String network, AttachmentArgs args) {
    return results().resolve(network + "-" + args.containerId() + "-" + args.ifname());
  }

  /// Keeps GC away while held.
  LockFile lockShared() {
    Path file = directory.resolve(".jrun.lock");
    try {
      return LockFile.shared(kernel, file); // mostly the directory is there
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e;
      Replacement.privateDirectory(directory);
      return LockFile.shared(kernel, file);
    }
  }

  /// Keeps ADD and DEL away while held.
  LockFile lockExclusive() {
    Replacement.privateDirectory(directory);
    return LockFile.exclusive(kernel, directory.resolve(".jrun.lock"));
  }

  void add(CachedAttachment attachment) {
    Path file = file(attachment.networkName(), attachment.args());
    byte[] content = attachment.toJson().toText().getBytes(StandardCharsets.UTF_8);
    try {
      Replacement.write(kernel, file, content, 0600); // mostly the directory is there
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e;
      Replacement.privateDirectory(results());
      Replacement.write(kernel, file, content, 0600);
    }
  }

  void remove(String network, AttachmentArgs args) {
    Path file = file(network, args);
    // where there is none, a crash may have left what was to become it
    if (!unlink(file)) unlink(Replacement.aside(file));
  }

  private boolean unlink(Path file) {
    try {
      kernel.call(new FileCall.Unlinkat(Descriptor.CWD, file.toString(), 0));
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return false;
      throw e;
    }
  }

  /// What was cached of the attachment's ADD; a file of another kind is a result alone.
  ///
  /// @throws SpecException when the file makes no sense
  Optional<CachedAttachment> find(String network, AttachmentArgs args) {
    Path file = file(network, args);
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("read the cached result: " + IoReason.of(e), e);
    }
    Json.JsonObject json = JsonReader.read(file.toString(), bytes, JsonReader::object);
    return Optional.of(
        isKind(json)
            ? JsonReader.read(file.toString(), json, CachedAttachment::read)
            : new CachedAttachment(network, "", args, json));
  }

  /// All attachments, also of other networks; files that are none are passed over, as libcni does.
  public List<CachedAttachment> attachments() {
    return attachments(name -> true);
  }

  /// Those of one container.
  public List<CachedAttachment> attachments(String containerId) {
    return attachments(name -> name.contains("-" + containerId + "-")).stream()
        .filter(cached -> cached.args().containerId().equals(containerId))
        .toList();
  }

  private List<CachedAttachment> attachments(Predicate<String> isWanted) {
    List<CachedAttachment> found = new ArrayList<>();
    if (!Files.isDirectory(results())) return found;
    try (Stream<Path> files = Files.list(results())) {
      for (Path file : files.sorted().toList()) {
        if (!isWanted.test(file.getFileName().toString()) || !Files.isRegularFile(file)) continue;
        try {
          Json.JsonObject json =
              JsonReader.read(file.toString(), Files.readAllBytes(file), JsonReader::object);
          if (isKind(json)) {
            found.add(JsonReader.read(file.toString(), json, CachedAttachment::read));
          }
        } catch (NoSuchFileException | SpecException e) {
          // removed meanwhile, or a bare result, which does not say whose it is
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("list the cached results: " + IoReason.of(e), e);
    }
    return found;
  }

  private static boolean isKind(Json.JsonObject json) {
    return Json.of(CachedAttachment.KIND).equals(json.member("kind"));
  }
}
