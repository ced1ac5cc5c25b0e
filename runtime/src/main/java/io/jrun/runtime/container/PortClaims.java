package io.jrun.runtime.container;

import io.jrun.cni.container.PublishedPort;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.LockFile;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.FileCall;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;

/// Which ports of the host the containers of one state directory have published: plugins take a
/// port twice, and then only the first has its traffic. Each container that publishes has a file
/// with its ports, one a line, which goes with its directory; all are written under one lock.
///
/// @param store of these containers
record PortClaims(Kernel kernel, Store store) {
  private static final String FILE = "ports";
  private static final String LOCK = ".ports.lock";

  /// Takes ports for a container that has no more than its directory yet.
  ///
  /// @param texts as [PublishedPort] parses them
  void take(String id, List<String> texts) {
    if (texts.isEmpty()) return;
    List<PublishedPort> wanted = PublishedPort.parseAll(texts);
    try (LockFile lock = LockFile.exclusive(kernel, store.root().resolve(LOCK))) {
      for (String other : store.ids()) {
        if (other.equals(id)) continue;
        for (String taken : read(file(other))) refuse(wanted, taken, other);
      }
      write(file(id), String.join("\n", texts));
    }
  }

  private void refuse(List<PublishedPort> wanted, String taken, String other) {
    PublishedPort theirs = PublishedPort.parse(taken);
    for (PublishedPort port : wanted) {
      if (port.isOnHostOf(theirs) && isThere(other))
        throw new ContainerException(
            "port %d/%s of the host is published already, by container %s (%s)"
                .formatted(port.hostPort(), port.protocol(), other, taken));
    }
  }

  /// False for what a crash left: it has no state, and nobody holds its directory.
  private boolean isThere(String id) {
    if (store.find(id).isPresent()) return true;
    Claim.Attempt attempt = Claim.attempt(kernel, store.directory(id).toString());
    if (attempt.claim() == null) return attempt.isBusy();
    try (Claim claim = attempt.claim()) {
      return store.find(id).isPresent();
    }
  }

  private Path file(String id) {
    return store.directory(id).resolve(FILE);
  }

  private static List<String> read(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + IoReason.of(e), e);
    }
  }

  private void write(Path file, String text) {
    FileCall.Openat open =
        FileCall.Openat.creating(file.toString(), FileCall.O_WRONLY | FileCall.O_TRUNC, 0600);
    try (OwnedDescriptor owned = OwnedDescriptor.open(kernel, open)) {
      kernel.call(new FileCall.Write(owned.descriptor(), text.getBytes(StandardCharsets.UTF_8)));
    }
  }
}
