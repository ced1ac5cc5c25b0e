package io.jrun.runtime.shim;

import io.jrun.kernel.KernelException;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.cgroup.OomWatch;
import io.jrun.runtime.container.ContainerException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Tells when a container of the pod runs out of memory.
final class OomReports implements AutoCloseable {
  private final Pod pod;
  private final ShimContainers containers;
  private final OomWatcher watcher;
  private final Map<String, OomWatcher.Watching> watchings = new ConcurrentHashMap<>();

  OomReports(Pod pod, ShimContainers containers, OomWatcher watcher) {
    this.pod = pod;
    this.containers = containers;
    this.watcher = watcher;
  }

  /// Tells it from now on, and where it did while nobody looked; of tasks.
  void begin(TaskProcess init) {
    if (init.isSandbox()) return;
    try {
      OomWatch watch = containers.cgroup(init).watchOom();
      long kills = watch.kills();
      watchings.put(init.id, watcher.watch(watch, now -> record(init, now)));
      if (kills > init.oomKills) record(init, kills);
    } catch (CgroupException | KernelException | ContainerException e) {
      System.err.println("jrun: no OOM events of " + init.id + ": " + e.getMessage());
    }
  }

  private void record(TaskProcess init, long kills) {
    pod.record(init.line(Line.What.OOM).with("kills", Math.max(kills, init.oomKills + 1)));
  }

  void end(TaskProcess init) {
    OomWatcher.Watching watching = watchings.remove(init.id);
    if (watching != null) watching.finish();
  }

  @Override
  public void close() {
    watchings.values().forEach(OomWatcher.Watching::close);
    watchings.clear();
  }
}
