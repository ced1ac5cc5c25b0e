package io.jrun.runtime.cgroup;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.BpfCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.systemd.Manager;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Resources;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A container's cgroup: one directory in each hierarchy.
public final class Cgroup {
  private static final int ADD_ATTEMPTS = 6;
  private static final int KILL_ROUNDS = 500;
  private static final byte[] ITSELF = {'0'};

  private final CgroupFiles files;
  private final Hierarchies hierarchies;
  private final Map<String, String> paths;
  private final Freezer freezer;
  private final @Nullable Scope scope;

  Cgroup(CgroupFiles files, Hierarchies hierarchies, Map<String, String> paths) {
    this(files, hierarchies, paths, null);
  }

  /// @param scope of systemd that it is; null where it is only directories
  Cgroup(
      CgroupFiles files,
      Hierarchies hierarchies,
      Map<String, String> paths,
      @Nullable Scope scope) {
    this.files = files;
    this.hierarchies = hierarchies;
    this.paths = Collections.unmodifiableMap(new LinkedHashMap<>(paths));
    this.scope = scope;
    this.freezer = new Freezer(files, directory("freezer"), this.paths.get(""));
  }

  /// The absolute directory in each hierarchy: by its first controller or `name=…`; `""` is v2.
  public Map<String, String> paths() {
    return paths;
  }

  /// What [Scope#stored] says of the scope that it is; empty where it is none.
  public Map<String, String> scope() {
    return Scope.stored(scope);
  }

  /// Moves a process into every one of them.
  public void add(int pid) {
    String text = Integer.toString(pid);
    for (String directory : paths.values()) {
      for (int attempt = 1; ; attempt++) {
        try {
          files.write(directory + "/cgroup.procs", text);
          break;
        } catch (KernelException e) {
          // EINVAL passes: a task that is still being made cannot be moved yet (runc has the same
          // loop).
          if (!CgroupFiles.is(e, Errno.EINVAL) || attempt == ADD_ATTEMPTS)
            throw new CgroupException("cannot add process " + pid + " to " + directory, e);
          pause(30);
        }
      }
    }
  }

  /// The v2 directory, in which a process can be born; null where there is none.
  public @Nullable String birthplace() {
    return paths.get("");
  }

  /// What /proc/PID/cgroup says of a process in it: by the controllers between commas, `""` for v2,
  /// the path below the hierarchy's top.
  public Map<String, String> roots() {
    Map<String, String> roots = new LinkedHashMap<>();
    for (Hierarchy hierarchy : hierarchies.list()) {
      String directory = paths.get(hierarchy.key());
      if (directory == null) continue;
      String key = hierarchy.v2() ? "" : String.join(",", hierarchy.controllers());
      roots.put(key, hierarchy.cgroupOf(directory));
    }
    return roots;
  }

  /// Gives the v2 directory to a user, with the files that the kernel lists for that (cgroups(7),
  /// "Delegation"), so that the user may divide it further.
  void giveTo(int uid) {
    String directory = birthplace();
    if (directory == null) return;
    List<String> names = new ArrayList<>(List.of(""));
    String listed =
        files
            .readIfThere("/sys/kernel/cgroup/delegate")
            .orElse("cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n"); // before Linux 4.15
    names.addAll(listed.lines().toList());
    for (String name : names) {
      try {
        files.chown(directory + "/" + name, uid);
      } catch (KernelException e) {
        // the list has files of controllers that are not on here
        if (!CgroupFiles.is(e, Errno.ENOENT))
          throw new CgroupException("cannot give the container's cgroup to its user", e);
      }
    }
  }

  /// Where its processes are frozen; null where they cannot be.
  public @Nullable String freezerDirectory() {
    String directory = directory("freezer");
    return directory == null && hierarchies.unified() ? birthplace() : directory;
  }

  /// Whether that is the v2 directory.
  public boolean birthplaceIs(String directory) {
    return directory.equals(birthplace());
  }

  /// The calls by which a process with a single thread joins the v1 cgroups; see [CgroupMaking].
  public void joinV1(Batch batch) {
    List<String> directories = new ArrayList<>(paths.size());
    paths.forEach((key, directory) -> {
      if (!key.isEmpty()) directories.add(directory);
    });
    if (directories.stream().allMatch(CgroupTop::leadsTo)) joinFromTop(batch, directories);
    else directories.forEach(directory -> join(batch, Descriptor.CWD, directory));
  }

  private static void joinFromTop(Batch batch, List<String> directories) {
    if (directories.isEmpty()) return;
    Descriptor top = batch.add(CgroupTop.opening()).descriptor();
    directories.forEach(directory -> join(batch, top, CgroupTop.below(directory)));
    batch.add(new FileCall.Close(top));
  }

  private static void join(Batch batch, Descriptor at, String directory) {
    Descriptor tasks =
        batch
            .add(
                new FileCall.Openat(
                    at, directory + "/tasks", FileCall.O_WRONLY | FileCall.O_CLOEXEC, 0, false))
            .descriptor();
    batch.add(new FileCall.Write(tasks, ITSELF));
    batch.add(new FileCall.Close(tasks));
  }

  /// What is to be told of a failure: which step it was, where it was that of [#joinV1].
  public static RuntimeException explained(RuntimeException failure) {
    if (!(failure instanceof KernelException e)) return failure;
    boolean joins =
        e.call() instanceof FileCall.Write write && write.bytes() == ITSELF
            || e.call() instanceof FileCall.Openat open && open.path().endsWith("/tasks");
    if (!joins) return failure;
    // sched(7): with realtime group scheduling a process may have no policy that its group has no
    // time for
    String why =
        e.errno().equals(Errno.EINVAL)
            ? " (a caller with a realtime policy needs one with cpu.realtimeRuntime)"
            : "";
    return new CgroupException("cannot join the container's cgroup" + why, e);
  }

  /// Changes the limits that are given. Devices are left as they are, as `runc update` does.
  public void apply(Resources resources) {
    Resources.Memory memory = resources.memory();
    if (memory != null && hierarchies.unified()) checkUsage(memory);
    if (scope != null) setProperties(scope, resources);
    perform(
        Plan.of(
            resources,
            hierarchies,
            new Plan.Current(false, memory == null ? null : memoryLimit(memory))));
  }

  private void setProperties(Scope scope, Resources resources) {
    int version =
        Scope.ask(files.kernel(), scope.manager(), "cannot ask systemd", Manager::version);
    scope.set(
        files.kernel(), ScopeProperties.limits(resources, hierarchies.unified(), version, false));
  }

  /// Has systemd move a process into it, where that may and the caller may not; false where it is
  /// not systemd's.
  public boolean attach(int pid) {
    if (scope == null) return false;
    scope.attach(files.kernel(), "/", pid);
    return true;
  }

  /// The processes in the cgroup and below it.
  public List<Integer> pids() {
    List<Integer> pids = new ArrayList<>();
    pids(processDirectory(), pids);
    return pids;
  }

  /// What it has used, as `runc events` shows it.
  public JsonObject statistics() {
    return new Statistics(values()).read();
  }

  /// What its files say now.
  public CgroupValues values() {
    List<String> pageSizes = new ArrayList<>();
    for (String size : files.children("/sys/kernel/mm/hugepages"))
      pageSizes.add(CgroupValues.pageSize(Long.parseLong(size.replaceAll("[^0-9]", ""))));
    return new CgroupValues(hierarchies.unified(), this::text, pageSizes);
  }

  private String text(String controller, String file) {
    String directory = hierarchies.unified() ? paths.get("") : directory(controller);
    if (directory == null) return "";
    try {
      return files.readIfThere(directory + "/" + file).orElse("");
    } catch (KernelException e) {
      return ""; // a file that this kernel has and cannot read, such as with EOPNOTSUPP
    }
  }

  /// How many of its processes were killed for want of memory.
  public long oomKills() {
    String directory = hierarchies.unified() ? paths.get("") : directory("memory");
    if (directory == null) return 0;
    return OomWatch.kills(
        files, directory + (hierarchies.unified() ? "/memory.events" : "/memory.oom_control"));
  }

  /// Watches for the end of its memory.
  public OomWatch watchOom() {
    if (hierarchies.unified()) return OomWatch.v2(files, path(""));
    String directory = directory("memory");
    if (directory == null) throw new CgroupException("memory cgroup is not mounted");
    return OomWatch.v1(files, directory);
  }

  /// Stops every process, and returns when all have stopped.
  public void freeze() {
    freezer.freeze();
  }

  public void thaw() {
    freezer.thaw();
  }

  public boolean frozen() {
    return freezer.frozen();
  }

  /// Whether there is none, as a rootless container has where its user may not make one.
  public boolean isNone() {
    return paths.isEmpty();
  }

  /// Sends a signal to every process, those forked meanwhile too; SIGKILL leaves the cgroup thawed.
  public void signal(int signal) {
    if (isNone()) return;
    if (signal == SignalCall.SIGKILL && hierarchies.unified() && killAtOnce()) return;
    if (pids().isEmpty()) return;
    boolean before = frozen();
    try {
      if (!before) freezer.freeze();
    } catch (CgroupException e) {
      if (signal != SignalCall.SIGKILL) throw e;
      killUnfrozen();
      return;
    }
    try {
      for (int pid : pids()) kill(pid, signal);
    } finally {
      if (!before || signal == SignalCall.SIGKILL) freezer.thaw();
    }
  }

  /// A process that waits for a page (userfaultfd(2)) does not freeze, and can be killed.
  private void killUnfrozen() {
    for (int round = 0; round < KILL_ROUNDS; round++) {
      List<Integer> pids = pids();
      if (pids.isEmpty()) return;
      for (int pid : pids) kill(pid, SignalCall.SIGKILL);
      pause(1);
    }
  }

  /// Removes the directories and what is below them, waiting a while for processes that are still
  /// dying; a second time is fine.
  public void remove() {
    if (scope != null) scope.stop(files.kernel());
    new Removal(files).remove(paths.values());
  }

  /// Performs the writes in order, successive ones of the same file through one descriptor.
  void perform(List<Write> writes) {
    List<Write> postponed = new ArrayList<>();
    for (int i = 0, next; i < writes.size(); i = next) {
      Write first = writes.get(i);
      next = i + 1;
      while (next < writes.size() && sameFile(writes.get(next), first)) next++;
      if (!writeAll(
          writes.subList(i, next), waitsForAnother(first, writes.subList(next, writes.size()))))
        postponed.add(first);
    }
    for (Write write : postponed) writeAll(List.of(write), false);
  }

  /// Attaches a device program to the v2 directory.
  void attach(byte[] program) {
    String path = path("");
    Kernel kernel = files.kernel();
    try (OwnedDescriptor directory = files.open(path, FileCall.O_RDONLY | FileCall.O_DIRECTORY);
        OwnedDescriptor loaded =
            OwnedDescriptor.open(
                kernel, new BpfCall.Load(BpfCall.BPF_PROG_TYPE_CGROUP_DEVICE, program))) {
      kernel.call(
          new BpfCall.Attach(
              directory.descriptor(),
              loaded.descriptor(),
              BpfCall.BPF_CGROUP_DEVICE,
              BpfCall.BPF_F_ALLOW_MULTI));
    } catch (KernelException e) {
      throw new CgroupException("cannot limit the devices of " + path, e);
    }
  }

  static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CgroupException("interrupted while waiting for a cgroup", e);
    }
  }

  private static boolean sameFile(Write a, Write b) {
    return a.otherwise() == null
        && b.otherwise() == null
        && a.hierarchyKey().equals(b.hierarchyKey())
        && a.file().equals(b.file());
  }

  /// Period and burst are checked against the quota or runtime that is in force; where it changes
  /// too, they may fit only after it.
  private static boolean waitsForAnother(Write write, List<Write> later) {
    List<String> awaited =
        switch (write.file()) {
          case "cpu.cfs_period_us", "cpu.cfs_burst_us", "cpu.max.burst" ->
              List.of("cpu.cfs_quota_us", "cpu.max");
          case "cpu.rt_period_us" -> List.of("cpu.rt_runtime_us");
          default -> List.of();
        };
    return later.stream().anyMatch(w -> awaited.contains(w.file()));
  }

  /// Writes values of one file; false when the kernel calls the value invalid and it may be tried
  /// again later.
  private boolean writeAll(List<Write> writes, boolean mayWait) {
    Write write = writes.getFirst();
    String path = path(write.hierarchyKey()) + "/" + write.file();
    try (OwnedDescriptor file = files.open(path, FileCall.O_WRONLY)) {
      for (Write each : writes) {
        write = each;
        files.write(file, each.value());
      }
      return true;
    } catch (KernelException e) {
      if (mayWait && CgroupFiles.is(e, Errno.EINVAL)) return false;
      if (!CgroupFiles.is(e, Errno.ENOENT)) throw failed(write, path, e);
      Write otherwise = write.otherwise();
      if (otherwise == null) throw failed(write, path, e);
      return otherwise == Write.NOTHING || writeAll(List.of(otherwise), false);
    }
  }

  private CgroupException failed(Write write, String path, KernelException e) {
    String step =
        "cannot set "
            + write.file()
            + " to \""
            + write.value()
            + "\" in "
            + CgroupPath.parent(path);
    if (CgroupFiles.is(e, Errno.EBUSY) && write.file().equals("memory.limit_in_bytes")) {
      String usage =
          files
              .readIfThere(CgroupPath.parent(path) + "/memory.usage_in_bytes")
              .orElse("unknown")
              .strip();
      return new CgroupException(
          "unable to set memory limit to " + write.value() + " (current usage: " + usage + ")", e);
    }
    if (CgroupFiles.is(e, Errno.ENOENT) && hierarchies.unified()) {
      step += " (is the controller " + write.file().split("\\.", 2)[0] + " available there?)";
    }
    return new CgroupException(step, e);
  }

  private @Nullable Long memoryLimit(Resources.Memory memory) {
    if (hierarchies.unified() || memory.limit() == null || memory.swap() == null) return null;
    String directory = directory("memory");
    return directory == null
        ? null
        : Long.valueOf(files.read(directory + "/memory.limit_in_bytes").strip());
  }

  /// v2 takes a limit below what is in use and then kills; checkBeforeUpdate asks for v1's refusal.
  private void checkUsage(Resources.Memory memory) {
    if (!Boolean.TRUE.equals(memory.checkBeforeUpdate())) return;
    long limit = memory.limit() == null ? 0 : memory.limit();
    long swap = memory.swap() == null ? 0 : memory.swap();
    if (limit <= 0 && swap <= 0) return;
    long usage =
        Long.parseLong(files.readIfThere(path("") + "/memory.current").orElse("0").strip());
    if (limit > 0 && usage > limit)
      throw new CgroupException("rejecting memory limit " + limit + " < usage " + usage);
    if (limit > 0 && swap > 0 && usage > swap)
      throw new CgroupException("rejecting memory+swap limit " + swap + " < usage " + usage);
  }

  private void pids(String directory, List<Integer> pids) {
    try {
      for (String line : files.readIfThere(directory + "/cgroup.procs").orElse("").split("\n")) {
        if (!line.isEmpty()) pids.add(Integer.valueOf(line));
      }
    } catch (KernelException e) {
      // EOPNOTSUPP: a threaded cgroup, whose processes its domain's cgroup.procs lists.
      if (!CgroupFiles.is(e, Errno.EOPNOTSUPP)) throw e;
    }
    for (String child : files.children(directory)) pids(directory + "/" + child, pids);
  }

  private void kill(int pid, int signal) {
    try {
      files.kernel().call(new SignalCall.Kill(pid, signal));
    } catch (KernelException e) {
      if (!CgroupFiles.is(e, Errno.ESRCH))
        throw new CgroupException("cannot signal process " + pid, e);
    }
  }

  /// cgroup.kill, Linux 5.14: false where the kernel is older, or the cgroup is gone, as systemd
  /// removes a scope's as soon as its last process has ended.
  private boolean killAtOnce() {
    String directory = path("");
    try {
      files.write(directory + "/cgroup.kill", "1");
      return true;
    } catch (KernelException e) {
      if (CgroupFiles.gone(e)) return false;
      throw new CgroupException("cannot kill the processes of " + directory, e);
    }
  }

  /// As with runc, devices is the hierarchy that says which processes are the container's.
  private String processDirectory() {
    String directory = hierarchies.unified() ? paths.get("") : directory("devices");
    if (directory != null) return directory;
    if (isNone()) throw new CgroupException("container has no cgroup");
    return paths.values().iterator().next();
  }

  private @Nullable String directory(String controller) {
    return hierarchies.of(controller).map(h -> paths.get(h.key())).orElse(null);
  }

  private String path(String key) {
    String path = paths.get(key);
    if (path == null)
      throw new CgroupException(
          (key.isEmpty() ? "unified" : key) + " cgroup is not one of the container's");
    return path;
  }
}
