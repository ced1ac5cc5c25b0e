package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Process;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/// A bundle as its client sees it, its config valid.
///
/// @param path absolute
/// @param bytes config.json as it was read
/// @param ownCgroups the text of the client's /proc/self/cgroup
record Bundle(String path, byte[] bytes, Config config, Process process, String ownCgroups) {
  private static final int CHUNK = 16384;
  private static final int OWN_CGROUPS = 4096;

  /// A bundle that the client is reading.
  record Asked(
      ClientProcess client,
      Reply reply,
      Pending<String> path,
      Pending<Descriptor> file,
      Pending<byte[]> json,
      Pending<byte[]> cgroups) {

    /// The bundle, once it is read.
    Bundle await(Configs configs, CreateOptions options, Store store) {
      Results results = reply.await();
      if (!results.succeeded(file)) {
        throw new ContainerException(
            "JSON specification file config.json not found in " + results.of(path));
      }
      byte[] bytes = results.of(json);
      if (bytes.length == CHUNK) bytes = client.read("config.json");
      byte[] lines = results.of(cgroups);
      if (lines.length == OWN_CGROUPS) lines = client.read("/proc/self/cgroup");
      bytes = Networking.annotated(bytes, options);
      bytes = NotifySocket.added(bytes, client, store, options.id());
      Config config = configs.runnable(bytes);
      Process process = config.process();
      if (process == null) throw new ContainerException("config.json: /process: is required");
      String own = new String(lines, StandardCharsets.UTF_8);
      return new Bundle(results.of(path), bytes, config, process, own);
    }

    /// Waits, for nothing but that the client is free again.
    void drop() {
      try {
        reply.await();
      } catch (KernelException | HelperGoneException e) {
        // whoever drops it has something worse to tell
      }
    }
  }

  /// Lets the client read it, from where that stands, and leaves the client in it.
  ///
  /// @param directory empty for the client's own
  static Asked ask(ClientProcess client, String directory) {
    Batch batch = new Batch();
    if (!directory.isEmpty()) batch.add(new ProcessCall.Chdir(directory));
    Pending<String> path = batch.add(new ProcessCall.Getcwd());
    int open = FileCall.O_RDONLY | FileCall.O_CLOEXEC;
    Pending<Descriptor> file =
        batch.add(new FileCall.Openat(Descriptor.CWD, "config.json", open, 0, false), Errno.ENOENT);
    Pending<byte[]> json = batch.add(new FileCall.Read(file.descriptor(), CHUNK));
    batch.add(new FileCall.Close(file.descriptor()));
    Descriptor cgroups =
        batch
            .add(new FileCall.Openat(Descriptor.CWD, "/proc/self/cgroup", open, 0, false))
            .descriptor();
    Pending<byte[]> own = batch.add(new FileCall.Read(cgroups, OWN_CGROUPS));
    batch.add(new FileCall.Close(cgroups));
    return new Asked(client, client.helper.send(batch), path, file, json, own);
  }

  /// The root file system's path, absolute.
  String rootfs() {
    String root = Objects.requireNonNull(config.root()).path();
    return root.startsWith("/") ? root : path + "/" + root;
  }
}
