package io.jrun.runtime.criu;

import io.jrun.kernel.OwnedDescriptor;
import java.util.List;

/// A moment of a dump or a restore that CRIU waits at.
///
/// @param script its name, such as `post-restore`
/// @param pid of the init that is dumped or restored, in CRIU's pid namespace; 0 for none
/// @param descriptors that came along; the receiver's
public record CriuNotification(String script, int pid, List<OwnedDescriptor> descriptors) {
  public CriuNotification {
    descriptors = List.copyOf(descriptors);
  }
}
