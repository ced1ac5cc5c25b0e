package io.jrun.runtime.container;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.HostCall;
import io.jrun.runtime.cgroup.Hierarchies;
import io.jrun.runtime.cgroup.Hierarchy;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Device;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.NamespaceType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The mounts of a container whose content CRIU does not save, as they come from outside: where
/// they are in the container, and their sources.
final class ExternalMounts {
  private static final List<String> DEFAULT_DEVICES =
      List.of("/dev/null", "/dev/random", "/dev/full", "/dev/tty", "/dev/zero", "/dev/urandom");

  private ExternalMounts() {}

  /// @param root the container's root as a path of the host's
  /// @param shown the directories that a cgroup mount shows, by hierarchy
  static Map<String, String> of(
      Kernel kernel,
      Config config,
      String root,
      Map<String, String> shown,
      Hierarchies hierarchies) {
    Map<String, String> all = new LinkedHashMap<>();
    for (Mount mount : config.mounts()) {
      String destination = resolved(kernel, root, mount.destination());
      if (ConfigMounts.binds(mount)) {
        all.put(destination, mount.source() == null ? "" : mount.source());
      } else if (InitPlan.isCgroup(mount)
          && config.linux().namespace(NamespaceType.CGROUP) == null
          // cgroup2 is bound in a user namespace only; else CRIU mounts it as it was
          && !(hierarchies.unified() && config.linux().namespace(NamespaceType.USER) == null)) {
        cgroups(all, destination, shown, hierarchies);
      }
    }
    for (String device : DEFAULT_DEVICES) all.put(device, device);
    for (Device device : config.linux().devices()) all.put(device.cleanPath(), device.cleanPath());
    return all;
  }

  private static void cgroups(
      Map<String, String> all,
      String destination,
      Map<String, String> shown,
      Hierarchies hierarchies) {
    for (Hierarchy hierarchy : hierarchies.unified() ? hierarchies.list() : hierarchies.v1()) {
      String path = shown.get(hierarchy.key());
      if (path == null) continue;
      String point = hierarchy.mountPoint();
      String name = point.substring(point.lastIndexOf('/'));
      all.put(hierarchies.unified() ? destination : destination + name, path);
    }
  }

  /// The path inside the root that a destination leads to, which may go over symlinks; as it stands
  /// where nothing is there.
  private static String resolved(Kernel kernel, String root, String destination) {
    String lexical = "/" + destination.replaceAll("/+", "/").replaceAll("^/|/$", "");
    int flags = FileCall.O_PATH | FileCall.O_CLOEXEC;
    try (OwnedDescriptor top =
        open(kernel, new FileCall.Openat(Descriptor.CWD, root, flags, 0, true))) {
      String above = target(kernel, top);
      String relative = lexical.equals("/") ? "." : lexical.substring(1);
      try (OwnedDescriptor found =
          open(
              kernel,
              new FileCall.Openat2(
                  top.descriptor(), relative, flags, 0, FileCall.RESOLVE_IN_ROOT, true))) {
        String path = target(kernel, found);
        if (above.equals("/")) return path;
        return path.startsWith(above + "/") ? path.substring(above.length()) : lexical;
      }
    } catch (KernelException e) {
      return lexical;
    }
  }

  private static OwnedDescriptor open(Kernel kernel, HostCall<Descriptor> call) {
    return OwnedDescriptor.open(kernel, call);
  }

  private static String target(Kernel kernel, OwnedDescriptor file) {
    return kernel.call(new FileCall.Readlinkat(Descriptor.CWD, "/proc/self/fd/" + file.number()));
  }
}
