package io.jrun.runtime.cgroup;

import io.jrun.kernel.KernelException;
import io.jrun.kernel.call.Errno;
import io.jrun.specs.runtime.Resources;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// A container's cgroup in the making, in two steps: where init is born, and the rest. After a
/// failure of either, [#undo] removes what they made.
///
/// Init is born in the v2 cgroup (CLONE_INTO_CGROUP) and joins those of v1 itself, by writing 0 to
/// `tasks`: a process that moves its only thread needs no lock of all processes. Moving it from
/// outside, or through `cgroup.procs`, waits for an RCU grace period, which is milliseconds
/// (cgroup_procs_write_start in the kernel).
public final class CgroupMaking implements Making {
  private static final int REMOVE_ATTEMPTS = 40;
  private static final int NOBODY = -1;

  private final CgroupFiles files;
  private final Hierarchies mounted;
  private final String controllers;
  private final Map<Hierarchy, String> directories;
  private final Resources limits;
  private final boolean limitsDevices;
  private final Cgroup cgroup;
  private final List<String> made = new ArrayList<>();
  private int owner = NOBODY;

  CgroupMaking(
      CgroupFiles files,
      Hierarchies mounted,
      String controllers,
      Map<Hierarchy, String> directories,
      Resources limits,
      boolean limitsDevices,
      @Nullable Scope scope) {
    this.files = files;
    this.mounted = mounted;
    this.controllers = controllers;
    this.directories = directories;
    this.limits = limits;
    this.limitsDevices = limitsDevices;
    Map<String, String> paths = new LinkedHashMap<>();
    directories.forEach((hierarchy, directory) -> paths.put(hierarchy.key(), directory));
    this.cgroup = new Cgroup(files, mounted, paths, scope);
  }

  @Override
  public Cgroup cgroup() {
    return cgroup;
  }

  @Override
  public @Nullable String birthplace() {
    return cgroup.birthplace();
  }

  @Override
  public boolean takesIn() {
    return false;
  }

  @Override
  public void giveTo(int uid) {
    owner = uid;
  }

  /// Makes what init is born in: the v2 directory where there is one; on a v2 machine, limits and
  /// all.
  @Override
  public void makeBirthplace() {
    named(() -> {
      directories.forEach((hierarchy, directory) -> {
        if (hierarchy.v2()) make(hierarchy, directory);
      });
      if (!mounted.unified()) return;
      limitV2();
    });
  }

  /// Makes the v1 directories and gives them their limits.
  @Override
  public void makeRest(IntSupplier pid) {
    if (mounted.unified()) return;
    named(() -> {
      directories.forEach((hierarchy, directory) -> {
        if (!hierarchy.v2()) make(hierarchy, directory);
      });
      limitV1();
    });
  }

  private void limitV1() {
    List<Write> writes =
        Plan.of(limits, mounted, Plan.Current.CREATED).stream()
            .filter(write -> limitsDevices || !write.file().startsWith("devices."))
            .toList();
    cpuset(writes);
    cgroup.perform(writes);
  }

  private void limitV2() {
    cgroup.perform(Plan.of(limits, mounted, Plan.Current.CREATED));
    if (limitsDevices) cgroup.attach(DeviceProgram.of(limits.devices()));
    if (owner != NOBODY) cgroup.giveTo(owner);
  }

  /// Completes what somebody else has made, with processes in it: directories in the hierarchies
  /// that are not his, controllers, limits.
  void fill() {
    named(() -> {
      directories.forEach((hierarchy, directory) -> {
        if (mounted.unified()) delegate(hierarchy, directory);
        makeWithParents(hierarchy, directory);
      });
      if (mounted.unified()) limitV2();
      else limitV1();
    });
  }

  private static void named(Runnable step) {
    try {
      step.run();
    } catch (KernelException e) {
      throw new CgroupException("cannot create the container's cgroup", e);
    }
  }

  private void make(Hierarchy hierarchy, String directory) {
    if (mounted.unified()) delegate(hierarchy, directory);
    if (!directory.equals(hierarchy.mountPoint()) && makeWithParents(hierarchy, directory)) return;
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
  private boolean makeWithParents(Hierarchy hierarchy, String directory) {
    boolean fresh;
    try {
      fresh = files.mkdir(directory);
    } catch (KernelException e) {
      String parent = CgroupPath.parent(directory);
      if (!CgroupFiles.is(e, Errno.ENOENT) || parent.length() <= hierarchy.mountPoint().length())
        throw e;
      makeWithParents(hierarchy, parent);
      fresh = files.mkdir(directory);
    }
    if (fresh) made.add(directory);
    return fresh;
  }

  /// On v2 a cgroup has the controllers that its parent hands down. One that cannot be is not an
  /// error until a limit needs it.
  private void delegate(Hierarchy hierarchy, String directory) {
    if (controllers.isEmpty()) return;
    String top = hierarchy.mountPoint();
    for (int end = top.length(); end > 0; end = directory.indexOf('/', end + 1)) {
      String ancestor = directory.substring(0, end);
      if (end > top.length()) makeWithParents(hierarchy, ancestor);
      String file = ancestor + "/cgroup.subtree_control";
      try {
        files.write(file, "+" + controllers.replace(" ", " +"));
      } catch (KernelException e) {
        for (String controller : controllers.split(" ")) enable(file, controller);
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

  /// A v1 cpuset starts with neither CPUs nor memory nodes, and then takes no process: what was not
  /// given comes from the parent. What was given the parent must have, too: one that was made on
  /// the way has nothing yet.
  private void cpuset(List<Write> writes) {
    Hierarchy hierarchy = mounted.of("cpuset").orElse(null);
    if (hierarchy == null) return;
    String directory = Objects.requireNonNull(cgroup.paths().get(hierarchy.key()));
    for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
      if (writes.stream().noneMatch(w -> w.file().equals(file)))
        inherit(hierarchy, directory, file);
      else if (!directory.equals(hierarchy.mountPoint()))
        filled(hierarchy, CgroupPath.parent(directory), file);
    }
  }

  private String inherit(Hierarchy hierarchy, String directory, String file) {
    if (directory.equals(hierarchy.mountPoint())) return files.read(directory + "/" + file).strip();
    String value = filled(hierarchy, CgroupPath.parent(directory), file);
    files.write(directory + "/" + file, value);
    return value;
  }

  /// What a directory has, and where it has nothing, what it then inherits.
  private String filled(Hierarchy hierarchy, String directory, String file) {
    String value = files.read(directory + "/" + file).strip();
    return value.isEmpty() && directory.length() > hierarchy.mountPoint().length()
        ? inherit(hierarchy, directory, file)
        : value;
  }

  /// Removes the directories that the steps made, once no process is in them any more; what was
  /// there before stays. Failures go to `failure`.
  @Override
  public void undo(RuntimeException failure) {
    for (String directory : made.reversed()) {
      try {
        remove(directory);
      } catch (KernelException e) {
        failure.addSuppressed(e);
      }
    }
  }

  /// A process that was just reaped may hold its cgroup for a moment; one with children is somebody
  /// else's too.
  private void remove(String directory) {
    for (int attempt = 1; ; attempt++) {
      try {
        files.rmdir(directory);
        return;
      } catch (KernelException e) {
        if (CgroupFiles.is(e, Errno.ENOENT) || CgroupFiles.is(e, Errno.ENOTEMPTY)) return;
        if (!CgroupFiles.is(e, Errno.EBUSY) || attempt == REMOVE_ATTEMPTS) throw e;
        Cgroup.pause(attempt);
      }
    }
  }
}
