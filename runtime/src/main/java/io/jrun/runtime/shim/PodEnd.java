package io.jrun.runtime.shim;

import java.util.concurrent.atomic.AtomicLong;

/// When a pod is done with: containerd asks for Shutdown behind the last Delete, or never, where it
/// has died in between.
final class PodEnd {
  private final Pod pod;
  private final Takeover takeover;
  private final AtomicLong creations = new AtomicLong();
  private volatile boolean isShutDown;

  PodEnd(Pod pod, Takeover takeover) {
    this.pod = pod;
    this.takeover = takeover;
  }

  /// Create is asked for.
  void creating() {
    creations.incrementAndGet();
  }

  /// Takes effect once that is answered, and only where no container is left. An engine that takes
  /// over is not told again, so it is written down.
  void shutDown() {
    takeover.forgetUnasked();
    if (isEmpty()) pod.record(Line.of(Line.What.SHUTDOWN, "", ""));
  }

  private boolean isEmpty() {
    return pod.all(TaskProcess::isInit).isEmpty();
  }

  /// What is written down about a Shutdown holds from now on: nobody waits for its answer.
  void takeEffect() {
    isShutDown = pod.isShutDown();
  }

  boolean isShutDown() {
    return isShutDown;
  }

  /// How many tasks there have been, as far as this engine knows; negative while there is one.
  long tasksBefore() {
    return isEmpty() ? creations.get() : -1;
  }

  /// As a Shutdown that containerd has not asked for.
  void shutDownUnasked() {
    shutDown();
    takeEffect();
  }
}
