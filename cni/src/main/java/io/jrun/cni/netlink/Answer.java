package io.jrun.cni.netlink;

import io.jrun.kernel.call.Errno;
import java.util.List;

/// What became of one request.
///
/// @param errno zero when it succeeded
/// @param kernelSays the kernel's own explanation (NETLINK_EXT_ACK); mostly empty
public record Answer(Request request, int errno, String kernelSays, List<Reply> replies) {
  public Answer {
    replies = List.copyOf(replies);
  }

  public boolean succeeded() {
    return errno == 0;
  }

  public boolean is(Errno other) {
    return errno == other.value();
  }

  /// This answer, unless it is a failure that is not among those expected.
  public Answer orThrow(Errno... expected) {
    if (errno == 0) return this;
    for (Errno one : expected) if (is(one)) return this;
    throw new NetlinkException(request, Errno.of(errno), kernelSays);
  }
}
