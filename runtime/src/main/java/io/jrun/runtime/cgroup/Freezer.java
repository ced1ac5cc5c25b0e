package io.jrun.runtime.cgroup;

import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import org.jspecify.annotations.Nullable;

/// Stops and resumes the processes of a cgroup, by v1's freezer where there is one, otherwise by
/// v2's cgroup.freeze.
record Freezer(CgroupFiles files, @Nullable String v1, @Nullable String v2) {
  private static final int ATTEMPTS_V1 = 1000;
  private static final int POLLPRI = 2;
  private static final long TIMEOUT_MILLIS = 2000;

  void freeze() {
    try {
      if (v1 != null) freezeV1(v1 + "/freezer.state");
      else freezeV2(directoryV2());
    } catch (KernelException e) {
      CgroupException failure = new CgroupException("cannot freeze", e);
      try {
        thaw(); // what is half frozen would hang
      } catch (CgroupException again) {
        failure.addSuppressed(again);
      }
      throw failure;
    }
  }

  void thaw() {
    try {
      if (v1 != null) files.write(v1 + "/freezer.state", "THAWED");
      else files.write(directoryV2() + "/cgroup.freeze", "0");
    } catch (KernelException e) {
      throw new CgroupException("cannot thaw", e);
    }
  }

  /// A cgroup that is gone or has no freezer is not frozen.
  boolean frozen() {
    try {
      // FREEZING counts: it is what a freeze that someone asked for looks like until all have
      // stopped.
      if (v1 != null)
        return !files.readIfThere(v1 + "/freezer.state").orElse("THAWED").strip().equals("THAWED");
      return v2 != null && files.readIfThere(v2 + "/cgroup.events").orElse("").contains("frozen 1");
    } catch (KernelException e) {
      throw new CgroupException("cannot read the freezer's state", e);
    }
  }

  /// A v1 cgroup can stay FREEZING while its processes fork; writing again continues it, and a
  /// moment of THAWED now and then lets those go on that the others wait for (runc issue 2774).
  private void freezeV1(String state) {
    for (int attempt = 1; attempt <= ATTEMPTS_V1; attempt++) {
      if (attempt % 50 == 0) {
        files.write(state, "THAWED");
        Cgroup.pause(10);
      }
      files.write(state, "FROZEN");
      if (attempt % 25 == 24) Cgroup.pause(1);
      if (files.read(state).strip().equals("FROZEN")) return;
    }
    files.write(state, "THAWED");
    throw new CgroupException(
        "unable to freeze: still freezing after " + ATTEMPTS_V1 + " attempts");
  }

  private void freezeV2(String directory) {
    try (OwnedDescriptor events = files.open(directory + "/cgroup.events", FileCall.O_RDONLY)) {
      files.write(directory + "/cgroup.freeze", "1");
      long end = System.nanoTime() + TIMEOUT_MILLIS * 1_000_000;
      while (!files.read(events).contains("frozen 1")) {
        long left = (end - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          files.write(directory + "/cgroup.freeze", "0");
          throw new CgroupException("unable to freeze within " + TIMEOUT_MILLIS + " ms");
        }
        files
            .kernel()
            .call(new DescriptorCall.Poll(events.descriptor(), POLLPRI, Math.min(left, 100)));
      }
    }
  }

  private String directoryV2() {
    if (v2 == null) throw new CgroupException("freezer cgroup is not mounted");
    return v2;
  }
}
