package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Stat;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cli.CheckpointOptions;
import io.jrun.runtime.criu.Criu;
import io.jrun.runtime.criu.CriuException;
import io.jrun.runtime.criu.CriuNotification;
import io.jrun.runtime.criu.CriuRequest;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Saves a container with CRIU, as runc does: with the same options, and images of the same form.
final class Checkpoint {
  /// The first CRIU with the RPC that is used here.
  static final int OLDEST_CRIU = 30_000;

  private static final int FREEZES_V2 = 31_400;
  private static final int TELLS_OF_LAZY_PAGES = 31_500;
  private static final int O_ACCMODE = 3;
  private static final int F_GETFL = 3;

  private final Containers containers;
  private final ClientProcess client;
  private final Criu criu;
  private final StoredState state;
  private final Config config;
  private final Cgroup cgroup;
  private final CriuProgress progress;

  /// @param program the path of CRIU; empty for the one of the client's PATH
  Checkpoint(
      Containers containers,
      ClientProcess client,
      StoredState state,
      Config config,
      Cgroup cgroup,
      String program,
      CriuProgress progress) {
    this.containers = containers;
    this.client = client;
    this.criu = new Criu(containers.kernel, client.helper, client.env(), program);
    this.state = state;
    this.config = config;
    this.cgroup = cgroup;
    this.progress = progress;
  }

  static void checkVersion(int version) {
    if (version < OLDEST_CRIU)
      throw new ContainerException(
          "CRIU version " + version + " must be " + OLDEST_CRIU + " or higher");
  }

  /// @param options with absolute paths
  void perform(CheckpointOptions options) {
    int version = criu.version();
    checkVersion(version);
    CriuImages.make(options.criu().imagePath());
    if (options.parentPath() != null) checkParent(options);
    checkFeatures(options);
    CriuImages images = new CriuImages(options.criu(), "dump.log");
    CriuRequest request = request(options, images, version);
    if (!options.preDump()) {
      addExternalMounts(request);
      images.writeDescriptors(standardDescriptors(request));
    }
    client.log.step("asks criu for ", request.type());
    try {
      criu.dump(
          request,
          child -> progress.began(HostProcess.of(containers.kernel, child.pid())),
          notification -> notified(options, notification));
    } catch (CriuException e) {
      throw images.explained(e);
    }
  }

  private CriuRequest request(CheckpointOptions options, CriuImages images, int version) {
    CriuRequest request =
        images
            .request(options.preDump() ? CriuRequest.Type.PRE_DUMP : CriuRequest.Type.DUMP, config)
            .root(state.rootfs())
            .pid(state.initPid())
            .leaveRunning(options.leaveRunning())
            .tcpSkipInFlight(options.tcpSkipInFlight())
            .linkRemap(options.linkRemap());
    // a hierarchy that is not mounted has its own tree, which is not the container's
    cgroup.roots().keySet().forEach(request::dumpedHierarchy);
    addExternalNamespace(request, NamespaceType.NETWORK);
    addExternalNamespace(request, NamespaceType.PID);
    String freezer = cgroup.freezerDirectory();
    if (freezer != null && (version >= FREEZES_V2 || !cgroup.birthplaceIs(freezer)))
      request.freezeCgroup(freezer);
    String server = options.pageServer();
    if (server != null) {
      int colon = server.lastIndexOf(':');
      String address = server.substring(0, colon).replaceAll("^\\[|]$", "");
      request.pageServer(address, Integer.parseInt(server.substring(colon + 1)));
    }
    if (options.parentPath() != null) request.parentImages(options.parentPath());
    if (options.criu().lazyPages() && options.statusFd() >= 0)
      checkStatusFd(options.statusFd(), version);
    return request;
  }

  /// Of a namespace that was joined CRIU saves only that it is one, by a name that restore knows.
  private void addExternalNamespace(CriuRequest request, NamespaceType type) {
    Namespace namespace = config.linux().namespace(type);
    if (namespace == null || namespace.path() == null) return;
    Stat stat = client.helper.call(new FileCall.Statx(Descriptor.CWD, namespace.path(), 0));
    request.external(NamespacePlan.procName(type) + "[" + stat.inode() + "]:" + externalName(type));
  }

  /// As runc names them.
  static String externalName(NamespaceType type) {
    return type == NamespaceType.NETWORK ? "extRootNetNS" : "extRootPidNS";
  }

  private void checkParent(CheckpointOptions options) {
    String parent = Objects.requireNonNull(options.parentPath());
    if (parent.startsWith("/")) throw new ContainerException("--parent-path must be relative");
    String path = options.criu().imagePath() + "/" + parent;
    try {
      if (client.helper.call(new FileCall.Statx(Descriptor.CWD, path, 0)).isDirectory()) return;
    } catch (KernelException e) {
      throw new ContainerException("invalid --parent-path", e);
    }
    throw new ContainerException("invalid --parent-path: " + path + ": not a directory");
  }

  private void checkFeatures(CheckpointOptions options) {
    if (!options.preDump() && !options.criu().lazyPages()) return;
    Criu.Features features = criu.features();
    List<String> missing = new ArrayList<>();
    if (options.preDump() && !features.tracksMemory()) missing.add("MemTrack");
    if (options.criu().lazyPages() && !features.lazyPages()) missing.add("LazyPages");
    if (!missing.isEmpty())
      throw new ContainerException("criu is missing features: [" + String.join(" ", missing) + "]");
  }

  private void checkStatusFd(int fd, int version) {
    if (version < TELLS_OF_LAZY_PAGES)
      throw new ContainerException("--status-fd needs criu 3.15 or later");
    int flags;
    try {
      flags = client.helper.call(new DescriptorCall.Fcntl(new Descriptor.Known(fd), F_GETFL, 0));
    } catch (KernelException e) {
      throw new ContainerException("invalid --status-fd argument " + fd, e);
    }
    if ((flags & O_ACCMODE) == FileCall.O_RDONLY)
      throw new ContainerException("invalid --status-fd argument " + fd + ": not writable");
  }

  private void addExternalMounts(CriuRequest request) {
    Map<String, String> shown = cgroup.paths();
    String root = "/proc/" + state.initPid() + "/root";
    ExternalMounts.of(containers.kernel, config, root, shown, containers.cgroups.hierarchies())
        .keySet()
        .forEach(destination -> request.externalMount(destination, destination));
    Linux linux = config.linux();
    Batch batch = new Batch();
    List<Pending<Stat>> asked = new ArrayList<>();
    for (String path : linux.maskedPaths())
      asked.add(batch.attempt(new FileCall.Statx(Descriptor.CWD, root + path, 0)));
    if (batch.isEmpty()) return;
    Results results = client.helper.run(batch);
    for (int i = 0; i < asked.size(); i++) {
      if (!results.succeeded(asked.get(i)) || results.of(asked.get(i)).isDirectory()) continue;
      request.externalMount(linux.maskedPaths().get(i), "/dev/null");
    }
  }

  /// What the standard descriptors lead to. Of a file from outside, such as a FIFO of containerd's,
  /// CRIU saves its name alone, by which the restored process inherits another.
  private List<String> standardDescriptors(CriuRequest request) {
    Batch batch = new Batch();
    List<Pending<String>> asked = new ArrayList<>();
    for (int fd = 0; fd < 3; fd++)
      asked.add(
          batch.add(
              new FileCall.Readlinkat(Descriptor.CWD, "/proc/" + state.initPid() + "/fd/" + fd),
              Errno.ENOENT)); // closed
    Results results = client.helper.run(batch);
    List<String> targets = new ArrayList<>();
    for (Pending<String> each : asked) targets.add(results.succeeded(each) ? results.of(each) : "");
    ExternalFiles.of(containers.kernel, state.initPid(), targets)
        .forEach((fd, name) -> {
          request.external(name);
          targets.set(fd, name);
        });
    return targets;
  }

  private void notified(CheckpointOptions options, CriuNotification notification) {
    client.log.step("criu is at ", notification.script());
    if (notification.script().equals("post-dump")) progress.saved();
    if (!notification.script().equals("status-ready") || options.statusFd() < 0) return;
    Descriptor fd = new Descriptor.Known(options.statusFd());
    Batch batch = new Batch();
    batch.attempt(new FileCall.Write(fd, "\0".getBytes(StandardCharsets.UTF_8)));
    batch.attempt(new FileCall.Close(fd));
    client.helper.run(batch);
  }
}
