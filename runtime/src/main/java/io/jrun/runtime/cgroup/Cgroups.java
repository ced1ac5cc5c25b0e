package io.jrun.runtime.cgroup;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.runtime.Resources;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Makes and finds the cgroups of containers.
public final class Cgroups implements AutoCloseable {
  private static final int POLLPRI = 2;
  private static final int POLLERR = 8;

  private final CgroupFiles files;
  private @Nullable OwnedDescriptor mountinfo;
  private @Nullable Hierarchies hierarchies;
  private @Nullable String controllersV2;

  public Cgroups(Kernel kernel) {
    this.files = new CgroupFiles(kernel);
  }

  /// What is mounted now. The kernel reports a changed mountinfo to who polls it
  /// (proc_pid_mountinfo(5)), so that asking again costs one poll.
  public synchronized Hierarchies hierarchies() {
    if (mountinfo == null) mountinfo = files.open("/proc/self/mountinfo", FileCall.O_RDONLY);
    Hierarchies known = hierarchies;
    if (known != null
        && files.kernel().call(new FileCall.Poll(mountinfo.descriptor(), POLLPRI | POLLERR, 0))
            == 0) return known;
    known = Hierarchies.parse(files.read(mountinfo));
    hierarchies = known;
    controllersV2 = null;
    return known;
  }

  /// Where [#create] would make a cgroup; see [Cgroup#paths].
  public Map<String, String> paths(String cgroupsPath, String id, String ownCgroups) {
    Map<String, String> paths = new LinkedHashMap<>();
    CgroupPath.of(hierarchies(), cgroupsPath, id, ownCgroups)
        .forEach((hierarchy, directory) -> paths.put(hierarchy.key(), directory));
    return paths;
  }

  /// Makes the container's cgroup in every hierarchy and gives it its limits; a failure leaves no
  /// directory that it made.
  ///
  /// @param cgroupsPath the spec's; may be empty
  /// @param ownCgroups the text of the caller's /proc/self/cgroup
  /// @param resources null where the spec has none, which still limits the devices
  public Cgroup create(
      String cgroupsPath, String id, String ownCgroups, @Nullable Resources resources) {
    Hierarchies mounted = hierarchies();
    Resources limits = resources == null ? Resources.NONE : resources;
    Map<Hierarchy, String> directories = CgroupPath.of(mounted, cgroupsPath, id, ownCgroups);
    List<Write> writes = Plan.of(limits, mounted, Plan.Current.CREATED);
    Map<String, String> paths = new LinkedHashMap<>();
    directories.forEach((hierarchy, directory) -> paths.put(hierarchy.key(), directory));
    Cgroup cgroup = new Cgroup(files, mounted, paths);
    List<String> made = new ArrayList<>();
    try {
      for (Map.Entry<Hierarchy, String> directory : directories.entrySet())
        make(mounted, directory.getKey(), directory.getValue(), made);
      cgroup.perform(writes);
      if (!mounted.unified()) cpuset(mounted, paths, writes);
      else cgroup.attach(DeviceProgram.of(limits.devices()));
    } catch (CgroupException | KernelException e) {
      removeMade(made, e);
      throw e instanceof KernelException
          ? new CgroupException("cannot create the container's cgroup", e)
          : e;
    }
    return cgroup;
  }

  /// The cgroup of a container made earlier, of what [Cgroup#paths] was then.
  public Cgroup open(Map<String, String> paths) {
    return new Cgroup(files, hierarchies(), paths);
  }

  @Override
  public synchronized void close() {
    if (mountinfo != null) mountinfo.close();
    mountinfo = null;
    hierarchies = null;
  }

  private void make(Hierarchies mounted, Hierarchy hierarchy, String directory, List<String> made) {
    if (mounted.unified()) delegate(hierarchy, directory, made);
    if (!directory.equals(hierarchy.mountPoint()) && makeWithParents(hierarchy, directory, made))
      return;
    Cgroup existing = new Cgroup(files, mounted, Map.of(hierarchy.key(), directory));
    int processes = existing.pids().size();
    if (processes > 0)
      throw new CgroupException(
          "container's cgroup is not empty: " + processes + " process(es) found");
    boolean freezes =
        hierarchy.v2() ? mounted.unified() : hierarchy.controllers().contains("freezer");
    if (freezes && existing.frozen())
      throw new CgroupException("container's cgroup unexpectedly frozen");
  }

  /// Usually the parent is there, so the directory is tried first: whether it was not there before.
  private boolean makeWithParents(Hierarchy hierarchy, String directory, List<String> made) {
    boolean fresh;
    try {
      fresh = files.mkdir(directory);
    } catch (KernelException e) {
      String parent = CgroupPath.parent(directory);
      if (!CgroupFiles.is(e, Errno.ENOENT) || parent.length() <= hierarchy.mountPoint().length())
        throw e;
      makeWithParents(hierarchy, parent, made);
      fresh = files.mkdir(directory);
    }
    if (fresh) made.add(directory);
    return fresh;
  }

  /// On v2 a cgroup has the controllers that its parent hands down. One that cannot be is not an
  /// error until a limit needs it.
  private void delegate(Hierarchy hierarchy, String directory, List<String> made) {
    String all = controllersV2(hierarchy);
    if (all.isEmpty()) return;
    String top = hierarchy.mountPoint();
    for (int end = top.length(); end > 0; end = directory.indexOf('/', end + 1)) {
      String ancestor = directory.substring(0, end);
      if (end > top.length()) makeWithParents(hierarchy, ancestor, made);
      String file = ancestor + "/cgroup.subtree_control";
      try {
        files.write(file, "+" + all.replace(" ", " +"));
      } catch (KernelException e) {
        for (String controller : all.split(" ")) enable(file, controller);
      }
    }
  }

  private void enable(String file, String controller) {
    try {
      files.write(file, "+" + controller);
    } catch (KernelException ignored) {
      // EBUSY of a parent with processes, ENOENT of a controller not handed down: a limit that
      // needs it names it when it fails.
    }
  }

  private synchronized String controllersV2(Hierarchy hierarchy) {
    String known = controllersV2;
    if (known == null) {
      known = files.read(hierarchy.mountPoint() + "/cgroup.controllers").strip();
      controllersV2 = known;
    }
    return known;
  }

  /// A v1 cpuset starts with neither CPUs nor memory nodes, and then takes no process: what was not
  /// given comes from the parent.
  private void cpuset(Hierarchies mounted, Map<String, String> paths, List<Write> writes) {
    Hierarchy hierarchy = mounted.of("cpuset").orElse(null);
    if (hierarchy == null) return;
    String directory = Objects.requireNonNull(paths.get(hierarchy.key()));
    for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
      if (writes.stream().noneMatch(w -> w.file().equals(file)))
        inherit(hierarchy, directory, file);
    }
  }

  private String inherit(Hierarchy hierarchy, String directory, String file) {
    if (directory.equals(hierarchy.mountPoint())) return files.read(directory + "/" + file).strip();
    String parent = CgroupPath.parent(directory);
    String value = files.read(parent + "/" + file).strip();
    if (value.isEmpty() && parent.length() > hierarchy.mountPoint().length())
      value = inherit(hierarchy, parent, file);
    files.write(directory + "/" + file, value);
    return value;
  }

  private void removeMade(List<String> made, RuntimeException failure) {
    for (String directory : made.reversed()) {
      try {
        files.rmdir(directory);
      } catch (KernelException e) {
        if (!CgroupFiles.is(e, Errno.ENOENT)) failure.addSuppressed(e);
      }
    }
  }
}
