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
import io.jrun.kernel.call.PseudoCall;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.mount.OwnPath;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Process;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A bundle as its client sees it, its config valid.
///
/// @param path absolute
/// @param bytes config.json as it was read
/// @param ownCgroups the text of the client's /proc/self/cgroup
record Bundle(String path, byte[] bytes, Config config, Process process, String ownCgroups) {
  private static final int CHUNK = 16384;
  private static final int OWN_CGROUPS = 4096;

  /// Where a container's config comes from.
  interface Source {
    /// Lets the client read what is to be read.
    ///
    /// @param undoing what the client runs if the engine dies before anything but the id was taken
    Asked ask(ClientProcess client, PseudoCall.OnEof undoing);

    /// The command that undoes what the client began, if the engine dies.
    default List<String> undoing(String root, String id) {
      return List.of("jrun", "--root", root, "delete", "--force", id);
    }

    /// Does what nobody needs before hooks run: init is busy with its mounts by then.
    default void complete() {}

    /// Whether it is a sandbox: the container's init is the pause process.
    default boolean pauses() {
      return false;
    }

    /// What its files say that name hosts; null where its networks say it.
    default @Nullable NameTexts names() {
      return null;
    }
  }

  /// What the client is reading.
  interface Asked {
    /// The bundle, once it is read.
    Bundle await(Configs configs, CreateOptions options);

    /// Waits until the client is free again, and ignores what it read.
    void drop();
  }

  /// A directory with a config.json; an empty path is the client's own.
  record Directory(String path) implements Source {
    @Override
    public Asked ask(ClientProcess client, PseudoCall.OnEof undoing) {
      return Bundle.ask(client, path, undoing);
    }
  }

  private record Reading(
      ClientProcess client,
      Reply reply,
      Pending<String> path,
      Pending<Descriptor> file,
      Pending<byte[]> json,
      Pending<byte[]> cgroups)
      implements Asked {

    @Override
    public Bundle await(Configs configs, CreateOptions options) {
      Results results = reply.await();
      if (!results.succeeded(file)) {
        throw new ContainerException(
            "JSON specification file config.json not found in " + results.of(path));
      }
      byte[] bytes = results.of(json);
      if (bytes.length == CHUNK) bytes = client.read("config.json");
      String own = ownCgroups(client, results.of(cgroups));
      return of(results.of(path), configs.annotated(bytes, options.additions()), configs, own);
    }

    @Override
    public void drop() {
      Bundle.drop(reply);
    }
  }

  /// Waits for an answer and ignores it.
  static void drop(Reply reply) {
    try {
      reply.await();
    } catch (KernelException | HelperGoneException e) {
      // the caller drops it because of a failure, which is the one to report
    }
  }

  static Bundle of(String path, byte[] bytes, Configs configs, String ownCgroups) {
    Bundle read = of(path, bytes, configs.runnable(bytes), ownCgroups);
    return read.with(OwnPath.settled(read.config(), read.rootfs()));
  }

  private static Bundle of(String path, byte[] bytes, Config config, String ownCgroups) {
    Process process = config.process();
    if (process == null) throw new ContainerException("config.json: /process: is required");
    return new Bundle(path, bytes, config, process, ownCgroups);
  }

  /// A bundle whose config was made and not read, checked as any other.
  ///
  /// @param bytes the config's text
  static Bundle made(String path, byte[] bytes, Config config, Configs configs, String ownCgroups) {
    return of(path, bytes, configs.made(config, bytes), ownCgroups);
  }

  /// This bundle with another config, which is checked. What was read stays as it was.
  Bundle with(Config changed) {
    return of(path, bytes, changed, ownCgroups);
  }

  /// This bundle with another process than its config's.
  Bundle withProcess(Process changed) {
    return new Bundle(path, bytes, config, changed, ownCgroups);
  }

  /// Lets the client read it, from where that stands, and leaves the client in it.
  private static Asked ask(ClientProcess client, String directory, PseudoCall.OnEof undoing) {
    Batch batch = new Batch();
    batch.add(undoing);
    if (!directory.isEmpty())
      batch.during("bundle", () -> batch.add(new ProcessCall.Chdir(directory)));
    Pending<String> path = batch.add(new ProcessCall.Getcwd());
    int open = FileCall.O_RDONLY | FileCall.O_CLOEXEC;
    FileCall.Openat config = new FileCall.Openat(Descriptor.CWD, "config.json", open, 0, false);
    Pending<Descriptor> file =
        batch.during("JSON specification file", () -> batch.add(config, Errno.ENOENT));
    Pending<byte[]> json = batch.add(new FileCall.Read(file.descriptor(), CHUNK));
    batch.add(new FileCall.Close(file.descriptor()));
    Pending<byte[]> own = askOwnCgroups(batch);
    return new Reading(client, client.helper.send(batch), path, file, json, own);
  }

  /// The client's /proc/self/cgroup, whole or, where it is long, to be read again.
  static Pending<byte[]> askOwnCgroups(Batch batch) {
    int open = FileCall.O_RDONLY | FileCall.O_CLOEXEC;
    Descriptor cgroups =
        batch
            .add(new FileCall.Openat(Descriptor.CWD, "/proc/self/cgroup", open, 0, false))
            .descriptor();
    Pending<byte[]> own = batch.add(new FileCall.Read(cgroups, OWN_CGROUPS));
    batch.add(new FileCall.Close(cgroups));
    return own;
  }

  static String ownCgroups(ClientProcess client, byte[] answer) {
    byte[] lines = answer.length == OWN_CGROUPS ? client.read("/proc/self/cgroup") : answer;
    return new String(lines, StandardCharsets.UTF_8);
  }

  /// The root file system's path, absolute.
  String rootfs() {
    return absolute(Objects.requireNonNull(config.root()).path());
  }

  /// A path of the config as one of the host, without `.`, over which CRIU stumbles: relative ones
  /// are the bundle's.
  String absolute(String ofConfig) {
    String whole = ofConfig.startsWith("/") ? ofConfig : path + "/" + ofConfig;
    if (!whole.contains("/.")) return whole;
    String plain =
        Arrays.stream(whole.split("/"))
            .filter(name -> !name.equals("."))
            .collect(Collectors.joining("/"));
    return plain.isEmpty() ? "/" : plain;
  }
}
