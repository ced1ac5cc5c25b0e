package io.jrun.runtime.cgroup;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;

/// Tells when a cgroup runs out of memory: through an eventfd on v1, memory.events on v2.
public final class OomWatch implements AutoCloseable {
  private static final int POLLIN = 1;
  private static final int POLLPRI = 2;

  private final Kernel kernel;
  private final CgroupFiles files;
  private final String file;
  private final OwnedDescriptor events;
  private final boolean v2;
  private long seen;

  private OomWatch(CgroupFiles files, String file, OwnedDescriptor events, boolean v2) {
    this.kernel = files.kernel();
    this.files = files;
    this.file = file;
    this.events = events;
    this.v2 = v2;
    this.seen = kills();
  }

  static OomWatch v1(CgroupFiles files, String directory) {
    String control = directory + "/memory.oom_control";
    OwnedDescriptor events = OwnedDescriptor.open(files.kernel(), new DescriptorCall.Eventfd());
    try (OwnedDescriptor watched = files.open(control, FileCall.O_RDONLY)) {
      files.write(directory + "/cgroup.event_control", events.number() + " " + watched.number());
      return new OomWatch(files, control, events, false);
    } catch (RuntimeException e) {
      events.close();
      throw e;
    }
  }

  static OomWatch v2(CgroupFiles files, String directory) {
    String counts = directory + "/memory.events";
    return new OomWatch(files, counts, files.open(counts, FileCall.O_RDONLY), true);
  }

  /// What becomes ready when there is something to look at, and with which events of poll(2).
  public Descriptor descriptor() {
    return events.descriptor();
  }

  public int pollEvents() {
    return v2 ? POLLPRI : POLLIN;
  }

  /// Whether the cgroup is still there.
  public boolean exists() {
    return files.readIfThere(file).isPresent();
  }

  /// How many processes were killed so far, as far as the kernel counts them.
  public long kills() {
    return kills(files, file);
  }

  /// @param file `memory.oom_control` or `memory.events`; missing, it counts none
  static long kills(CgroupFiles files, String file) {
    for (String line : files.readIfThere(file).orElse("").split("\n"))
      if (line.startsWith("oom_kill ")) return Long.parseLong(line.substring(9).strip());
    return 0;
  }

  /// Waits at most so long; whether memory ran out meanwhile.
  public boolean await(long millis) {
    if (kernel.call(new DescriptorCall.Poll(events.descriptor(), v2 ? POLLPRI : POLLIN, millis))
        == 0) return false;
    if (v2) {
      files.read(events);
      long before = seen;
      seen = kills();
      return seen > before;
    }
    kernel.call(new FileCall.Read(events.descriptor(), 8));
    // the end of the cgroup is told as one too
    return files.readIfThere(file).isPresent();
  }

  @Override
  public void close() {
    events.close();
  }
}
