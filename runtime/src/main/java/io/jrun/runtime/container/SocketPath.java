package io.jrun.runtime.container;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.SocketCall;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/// Paths of sockets, of any length: what unix(7) has no room for is reached through a descriptor of
/// its directory.
final class SocketPath {
  private static final int LONGEST = 107;

  private SocketPath() {}

  /// Performs a bind or connect of this path in the engine.
  static void use(Kernel kernel, String path, Function<byte[], ? extends SocketCall<?>> call) {
    if (fits(path)) {
      kernel.call(call.apply(SocketCall.unixAddress(path)));
      return;
    }
    try (OwnedDescriptor owned = OwnedDescriptor.open(kernel, directory(path))) {
      kernel.call(call.apply(SocketCall.unixAddress(through(owned.number(), path))));
    }
  }

  /// Performs a bind or connect of this path in a helper.
  static void use(
      HelperKernel helper, String path, Function<byte[], ? extends SocketCall<?>> call) {
    if (fits(path)) {
      helper.call(call.apply(SocketCall.unixAddress(path)));
      return;
    }
    Descriptor.Known directory = (Descriptor.Known) helper.call(directory(path));
    try {
      helper.call(call.apply(SocketCall.unixAddress(through(directory.number(), path))));
    } finally {
      helper.call(new FileCall.Close(directory));
    }
  }

  static boolean fits(String path) {
    return path.getBytes(StandardCharsets.UTF_8).length <= LONGEST;
  }

  private static FileCall.Openat directory(String path) {
    return FileCall.Openat.existing(
        path.substring(0, path.lastIndexOf('/') + 1), FileCall.O_PATH | FileCall.O_DIRECTORY);
  }

  private static String through(int directory, String path) {
    return "/proc/self/fd/" + directory + path.substring(path.lastIndexOf('/'));
  }
}
