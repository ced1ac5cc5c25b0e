package io.jrun.runtime.engine;

import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.host.HostKernel;
import io.jrun.runtime.container.Containers;
import java.io.IOException;
import java.nio.file.Path;

/// The engine's entry: descriptor 3 is its socket, which the helper that started it has bound.
public final class Main {
  private static final int SOCKET = 3;

  private Main() {}

  /// @param args `serve` for a resident engine, `once` for a single command; then the path of its
  ///   files without their endings .sock, .lock and .log
  public static void main(String[] args) throws IOException {
    HostKernel kernel = new HostKernel();
    Path library = Path.of(System.getProperty("jrun.library"));
    Containers containers = new Containers(kernel, library);
    Engine engine =
        new Engine(
            kernel,
            containers,
            new EngineNetworks(kernel, library.resolve("../../bin/jrun")),
            library);
    if (args[0].equals("once")) {
      engine.serveClient(new OwnedDescriptor(kernel, SOCKET));
    } else {
      engine.serve(new Descriptor.Known(SOCKET), args[1]);
    }
    containers.rest(0);
    // client threads are daemons; what the last of them does is finished by its client's exit
    // no exit: it would look for a logger of exits in every jar
    Runtime.getRuntime().halt(0);
  }
}
