package io.jrun.runtime.shim;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.UnixConnection;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.wire.Hello;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.runtime.container.ContainerOperations;
import io.jrun.runtime.container.Containers;
import io.jrun.specs.proto.ProtoWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.function.Supplier;

/// `delete`, `-info` and `-v`: commands of the shim that print and end.
///
/// @param client the process that containerd has started
record ShimCommand(
    Kernel kernel,
    Containers containers,
    HelperKernel client,
    Hello hello,
    Supplier<String> features) {
  private static final int KILLED = 137;
  private static final String VERSION = "containerd-shim-jrun-v2: jrun 0.1.0\n";

  int perform() {
    ShimLine line = ShimLine.parse(hello.argv());
    try {
      if (line.version()) print(Descriptor.STDOUT, VERSION.getBytes(StandardCharsets.UTF_8));
      else if (line.info()) print(Descriptor.STDOUT, ShimInfo.answer(features.get()));
      else if (line.action().equals("delete")) print(Descriptor.STDOUT, delete(line));
      else throw RpcException.unknown("unknown action \"" + line.action() + "\"");
      return 0;
    } catch (RuntimeException e) {
      String text = "jrun: " + e.getMessage() + "\n";
      print(Descriptor.STDERR, text.getBytes(StandardCharsets.UTF_8));
      return 1;
    }
  }

  private void print(Descriptor to, byte[] bytes) {
    for (int at = 0; at < bytes.length; )
      at += client.call(new FileCall.Write(to, Arrays.copyOfRange(bytes, at, bytes.length)));
  }

  /// Ends whatever is left of a container whose keeper may be gone, and can be repeated.
  private byte[] delete(ShimLine line) {
    String bundle = line.bundle().isEmpty() ? client.call(new ProcessCall.Getcwd()) : line.bundle();
    String root = text(Path.of(bundle, ShimContainers.ROOT_FILE));
    if (root.isEmpty()) root = ShimContainers.root("", line.namespace());
    GlobalOptions global = ShimContainers.global(root, false);
    ContainerOperations operations = ShimContainers.operations(containers, client, hello);
    // of a pod's own pause process with all that is left of the pod
    if (operations.sandboxes(global).has(line.id()))
      operations.sandboxes(global).remove(line.id(), true);
    else operations.delete(global, line.id(), true, false);
    try {
      new RootfsMounts(client, bundle + "/rootfs").unmount();
    } catch (KernelException e) {
      throw RpcException.unknown("unmounting the root file system: " + e.getMessage());
    }
    forgetKilledKeeper(text(Path.of(bundle, "address")));
    String pid = text(Path.of(bundle, "init.pid"));
    return new ProtoWriter()
        .uint32(1, pid.matches("[0-9]{1,9}") ? Integer.parseInt(pid) : 0)
        .uint32(2, KILLED)
        .timestamp(3, Instant.now())
        .toBytes();
  }

  /// Removes the socket and the records of a keeper that was killed; one that lives removes them
  /// itself.
  private void forgetKilledKeeper(String address) {
    Path socket = Path.of(address.replaceFirst("^unix://", ""));
    if (address.isEmpty() || !Files.exists(socket)) return;
    // `start` binds under the same lock, and listens before it lets go
    try (OwnedDescriptor sockets =
        OwnedDescriptor.open(
            kernel, FileCall.Openat.existing(socket.resolveSibling("").toString(), 0))) {
      kernel.call(new FileCall.Flock(sockets.descriptor(), FileCall.LOCK_EX));
      if (UnixConnection.isPossible(kernel, socket.toString())) return;
      PodServer.forget(PodServer.directory(socket));
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw new UncheckedIOException("removing " + socket + ": " + IoReason.of(e), e);
    }
  }

  private static String text(Path path) {
    try {
      return Files.readString(path).strip();
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new UncheckedIOException("reading " + path + ": " + IoReason.of(e), e);
    }
  }
}
