package io.jrun.runtime.container;

import io.jrun.cni.container.Networks;
import io.jrun.kernel.Kernel;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.NamespaceType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The [NameFiles] of a container in the making, made before init binds them and written again when
/// its networks are known.
final class HostFiles implements AutoCloseable {
  private final NameFiles files;
  private final Config config;
  private final @Nullable NameTexts given;

  /// @param claim of the container's directory
  /// @param given what they say; null where the networks say it
  HostFiles(Kernel kernel, Claim claim, Config config, @Nullable NameTexts given) {
    this.files = new NameFiles(kernel, claim);
    this.config = config;
    this.given = given;
  }

  /// @param attached the container's interfaces, as far as they are known
  void write(List<Networks.Attached> attached) {
    if (given != null) files.write(given);
    else if (config.linux().namespace(NamespaceType.NETWORK) == null)
      files.copyHosts(config.hostname() == null ? "" : config.hostname());
    else if (attached.isEmpty() && Networking.isWanted(config)) files.make();
    else files.write(HostNames.of(config.hostname(), attached));
  }

  @Override
  public void close() {
    files.close();
  }
}
