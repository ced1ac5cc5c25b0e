package io.jrun.runtime.cgroup;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.runtime.systemd.Manager;
import io.jrun.runtime.systemd.ManagerAddress;
import io.jrun.specs.runtime.Resources;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Makes and finds the cgroups of containers.
public final class Cgroups implements AutoCloseable {
  private static final int POLLPRI = 2;
  private static final int POLLERR = 8;

  private final CgroupTop top;
  private final CgroupFiles files;
  private @Nullable OwnedDescriptor mountinfo;
  private @Nullable Hierarchies hierarchies;
  private @Nullable String controllersV2;

  public Cgroups(Kernel kernel) {
    this.top = new CgroupTop(kernel);
    this.files = new CgroupFiles(kernel, top);
  }

  /// What is mounted now. The kernel reports a changed mountinfo to who polls it
  /// (proc_pid_mountinfo(5)), so that asking again costs one poll.
  public synchronized Hierarchies hierarchies() {
    if (mountinfo == null) mountinfo = files.open("/proc/self/mountinfo", FileCall.O_RDONLY);
    Hierarchies known = hierarchies;
    if (known != null
        && files
                .kernel()
                .call(new DescriptorCall.Poll(mountinfo.descriptor(), POLLPRI | POLLERR, 0))
            == 0) return known;
    known = Hierarchies.parse(files.read(mountinfo));
    top.use(known.topMount());
    hierarchies = known;
    controllersV2 = null;
    return known;
  }

  /// The caller's own directories.
  ///
  /// @param ownCgroups the text of the caller's /proc/self/cgroup
  public Map<String, String> current(String ownCgroups) {
    Map<String, String> own = CgroupPath.own(ownCgroups);
    Map<String, String> paths = new LinkedHashMap<>();
    for (Hierarchy hierarchy : hierarchies().used()) {
      String cgroup = own.get(hierarchy.key());
      if (cgroup != null)
        paths.put(hierarchy.key(), hierarchy.directoryOf(CgroupPath.clean(cgroup)));
    }
    return paths;
  }

  /// Prepares the making of a container's cgroup in every hierarchy; nothing is made yet.
  ///
  /// @param cgroupsPath the spec's; may be empty
  /// @param ownCgroups the text of the caller's /proc/self/cgroup
  /// @param resources null where the spec has none, which still limits the devices
  /// @param limitsDevices false for a caller who may not do that, as only root may
  public Making plan(
      String cgroupsPath,
      String id,
      String ownCgroups,
      @Nullable Resources resources,
      boolean limitsDevices) {
    Hierarchies mounted = hierarchies();
    Resources limits = resources == null ? Resources.NONE : resources;
    return new CgroupMaking(
        files,
        mounted,
        mounted.unified() ? controllersV2(mounted) : "",
        CgroupPath.of(mounted, cgroupsPath, id, ownCgroups),
        limits,
        limitsDevices,
        null);
  }

  /// Prepares the making of a container's cgroup as a scope of systemd; nothing is made yet, and
  /// systemd is asked only where it is.
  ///
  /// @param cgroupsPath the spec's, `slice:prefix:name`; may be empty
  /// @param user whether the manager is the user's own
  /// @param annotations of the config: those named `org.systemd.property.…` are properties
  public Making planScope(
      ManagerAddress manager,
      boolean user,
      String cgroupsPath,
      String id,
      Map<String, String> annotations,
      @Nullable Resources resources,
      boolean limitsDevices) {
    Hierarchies mounted = hierarchies();
    Resources limits = resources == null ? Resources.NONE : resources;
    ScopeName name = ScopeName.of(cgroupsPath, id, user);
    Scope scope = new Scope(name.unit(), manager);
    String place =
        Scope.ask(files.kernel(), manager, "cannot ask systemd", Manager::controlGroup)
            + name.path();
    Map<Hierarchy, String> directories = new LinkedHashMap<>();
    for (Hierarchy hierarchy : mounted.used())
      directories.put(hierarchy, hierarchy.directoryOf(place));
    CgroupMaking making =
        new CgroupMaking(
            files,
            mounted,
            mounted.unified() ? controllersV2(mounted) : "",
            directories,
            limits,
            limitsDevices,
            scope);
    return new ScopeMaking(
        files, name, id, scope, annotations, limits, mounted.unified(), limitsDevices, making);
  }

  /// Makes it at once, for processes that are moved into it; see [#plan] for the parameters.
  public Cgroup create(
      String cgroupsPath, String id, String ownCgroups, @Nullable Resources resources) {
    Making making = plan(cgroupsPath, id, ownCgroups, resources, true);
    try {
      making.makeBirthplace();
      making.makeRest(() -> 0);
      return making.cgroup();
    } catch (RuntimeException e) {
      making.undo(e);
      throw e;
    }
  }

  /// The cgroup of a container made earlier, of what [Cgroup#paths] was then.
  public Cgroup open(Map<String, String> paths) {
    return new Cgroup(files, hierarchies(), paths);
  }

  /// A cgroup that somebody else has made, as far as the hierarchies have it.
  public Cgroup existing(String cgroup) {
    Map<String, String> paths = new LinkedHashMap<>();
    for (Hierarchy hierarchy : hierarchies().used()) {
      String directory = hierarchy.directoryOf(CgroupPath.clean(cgroup));
      if (Files.isDirectory(Path.of(directory))) paths.put(hierarchy.key(), directory);
    }
    if (paths.isEmpty()) throw new CgroupException("no such cgroup: " + cgroup, null);
    return open(paths);
  }

  /// @param scope what [Scope#stored] gave then
  public Cgroup open(Map<String, String> paths, Map<String, String> scope) {
    return new Cgroup(files, hierarchies(), paths, Scope.of(scope));
  }

  @Override
  public synchronized void close() {
    if (mountinfo != null) mountinfo.close();
    top.close();
    mountinfo = null;
    hierarchies = null;
  }

  private synchronized String controllersV2(Hierarchies mounted) {
    String known = controllersV2;
    if (known == null) {
      String top = mounted.v2().map(Hierarchy::mountPoint).orElseThrow();
      known = files.read(top + "/cgroup.controllers").strip();
      controllersV2 = known;
    }
    return known;
  }
}
