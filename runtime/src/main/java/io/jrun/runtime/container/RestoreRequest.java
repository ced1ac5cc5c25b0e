package io.jrun.runtime.container;

import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cli.RestoreOptions;
import io.jrun.runtime.criu.Criu;
import io.jrun.runtime.criu.CriuRequest;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Namespace;
import java.util.ArrayList;
import java.util.List;

/// What CRIU is asked to restore: the images, and what of this host takes the place of what was
/// outside the container when they were made. It owns the namespaces that CRIU inherits.
final class RestoreRequest implements AutoCloseable {
  private final Containers containers;
  private final RestoreOptions options;
  private final Bundle bundle;
  private final Cgroup cgroup;
  private final String root;
  private final List<OwnedDescriptor> inherited = new ArrayList<>();

  /// @param root the mount point that CRIU takes for the container's root
  RestoreRequest(
      Containers containers, RestoreOptions options, Bundle bundle, Cgroup cgroup, String root) {
    this.containers = containers;
    this.options = options;
    this.bundle = bundle;
    this.cgroup = cgroup;
    this.root = root;
  }

  CriuRequest of(CriuImages images) {
    Config config = bundle.config();
    CriuRequest request =
        images
            .request(CriuRequest.Type.RESTORE, config)
            .root(root)
            .evasiveDevices()
            .restoreAsSibling();
    if (options.lsmProfile() != null) request.lsmProfile(options.lsmProfile());
    if (options.lsmMountContext() != null) request.lsmMountContext(options.lsmMountContext());
    addNamespaces(request, config.linux());
    ExternalMounts.of(
            containers.kernel,
            config,
            bundle.rootfs(),
            cgroup.paths(),
            containers.cgroups.hierarchies())
        .forEach((place, source) -> request.externalMount(place, bundle.absolute(source)));
    List<String> descriptors = images.readDescriptors();
    for (int fd = 0; fd < descriptors.size(); fd++)
      if (descriptors.get(fd).contains("pipe:") || ExternalFiles.isOne(descriptors.get(fd)))
        request.inherit(descriptors.get(fd), fd);
    addCgroupRoots(request);
    return request;
  }

  private void addNamespaces(CriuRequest request, Linux linux) {
    for (Namespace namespace : linux.namespaces()) {
      String path = namespace.path();
      if (path == null) continue;
      switch (namespace.type()) {
        case NETWORK, PID -> {
          int number = Criu.inheritedNumber(inherited.size());
          inherited.add(open(path));
          request.inherit(Checkpoint.externalName(namespace.type()), number);
        }
        case MOUNT, IPC, UTS, USER, TIME ->
            request.joinNamespace(NamespacePlan.procName(namespace.type()), path);
        case CGROUP -> {} // refused before
      }
    }
  }

  private OwnedDescriptor open(String path) {
    int flags = FileCall.O_RDONLY | FileCall.O_CLOEXEC;
    return OwnedDescriptor.open(
        containers.kernel, new FileCall.Openat(Descriptor.CWD, path, flags, 0, true));
  }

  /// Every controller's, as /proc/PID/cgroup names them.
  private void addCgroupRoots(CriuRequest request) {
    cgroup
        .roots()
        .forEach((controllers, path) -> {
          for (String controller : controllers.split(",", -1)) request.cgroupRoot(controller, path);
        });
  }

  /// In the order of their numbers in CRIU; there are none before the request is made.
  List<OwnedDescriptor> inherited() {
    return inherited;
  }

  @Override
  public void close() {
    inherited.forEach(OwnedDescriptor::close);
  }
}
