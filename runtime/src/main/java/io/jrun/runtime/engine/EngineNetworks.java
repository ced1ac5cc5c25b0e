package io.jrun.runtime.engine;

import io.jrun.cni.command.CniCommand;
import io.jrun.cni.simple.SimpleCni;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.wire.Hello;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The engine's part of networks, made when the first command asks for it, as most never do.
final class EngineNetworks {
  private final Kernel kernel;
  private final Path helper;
  private @Nullable SimpleCni plugin;

  EngineNetworks(Kernel kernel, Path helper) {
    this.kernel = kernel;
    this.helper = helper;
  }

  synchronized SimpleCni plugin() {
    if (plugin == null) plugin = new SimpleCni(kernel);
    return plugin;
  }

  CniCommand command(HelperKernel client, Hello hello) {
    return new CniCommand(kernel, plugin(), helper, client, hello.env());
  }
}
