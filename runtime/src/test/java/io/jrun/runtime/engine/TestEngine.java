package io.jrun.runtime.engine;

import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.host.HostKernel;
import io.jrun.kernel.observed.ObservedHelper;
import io.jrun.kernel.observed.ObservedKernel;
import io.jrun.kernel.observed.Observer;
import io.jrun.kernel.wire.Hello;
import io.jrun.kernel.wire.Helper;
import io.jrun.runtime.cli.JrunCommand;
import io.jrun.runtime.container.Containers;
import io.jrun.runtime.shim.Shim;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// This JVM as the engine of real clients, one after another: those that are started with
/// `JRUN_ENGINE` as its socket. Every command's calls go by the observer that is set.
final class TestEngine implements AutoCloseable {
  private static final int POLLIN = 1;

  /// How a command ended in the engine.
  ///
  /// @param unreported what escaped the command line's own report: always a defect
  record End(@Nullable Throwable unreported) {}

  private final HostKernel kernel = new HostKernel();
  private final OwnedDescriptor listener;
  private final Containers containers;
  private final Engine engine;
  private final Shim shim;
  private final BlockingQueue<End> ended = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile @Nullable Observer observer;
  private volatile boolean closing;
  private volatile int clientPid;
  private volatile Runnable beforeEach = () -> {};
  private volatile Runnable afterEach = () -> {};

  /// Binds a socket at the path.
  ///
  /// @param library of an installation, whose helper the containers' processes run from
  static TestEngine at(Path socket, Path library) throws IOException {
    HostKernel kernel = new HostKernel();
    Descriptor made =
        kernel.call(
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC, 0, true));
    byte[] address = SocketCall.unixAddress(socket.toString());
    kernel.call(new SocketCall.Bind(made, address));
    kernel.call(new SocketCall.Listen(made, 64));
    return new TestEngine(((Descriptor.Known) made).number(), library);
  }

  /// Takes over a listening socket.
  TestEngine(int listening, Path library) throws IOException {
    listener = new OwnedDescriptor(kernel, listening);
    Observer relay =
        new Observer() {
          @Override
          public Optional<Errno> before(String where, Syscall<?> call) {
            Observer set = observer;
            return set == null ? Optional.empty() : set.before(where, call);
          }

          @Override
          public void sending(String where, io.jrun.kernel.Batch batch) {
            Observer set = observer;
            if (set != null) set.sending(where, batch);
          }
        };
    containers = new Containers(new ObservedKernel(kernel, relay), library);
    engine =
        new Engine(
            kernel,
            containers,
            new EngineNetworks(kernel, library.resolve("../../bin/jrun")),
            library);
    shim =
        new Shim(
            new ObservedKernel(kernel, relay),
            containers,
            library,
            RuntimeFeatures::describe,
            () -> {});
    thread = Thread.ofPlatform().daemon(true).name("test-engine").start(() -> accept(relay));
  }

  /// Sets what is done when a client has connected.
  void beforeEach(Runnable action) {
    beforeEach = action;
  }

  /// Sets what is done before a client is told to exit.
  void afterEach(Runnable action) {
    afterEach = action;
  }

  /// The process of the last client that connected.
  int clientPid() {
    return clientPid;
  }

  @Nullable Observer observer() {
    return observer;
  }

  void observe(@Nullable Observer next) {
    observer = next;
  }

  private void accept(Observer relay) {
    while (!closing) {
      try {
        if (kernel.call(new DescriptorCall.Poll(listener.descriptor(), POLLIN, 50)) == 0) continue;
        Descriptor accepted = kernel.call(new SocketCall.Accept4(listener.descriptor()));
        int number = ((Descriptor.Known) accepted).number();
        Thread.ofPlatform()
            .daemon(true)
            .name("test-command")
            .start(() -> ended.add(serve(new OwnedDescriptor(kernel, number), relay)));
      } catch (KernelException e) {
        if (!e.errno().equals(Errno.EINTR)) throw e;
      }
    }
  }

  private End serve(OwnedDescriptor connection, Observer relay) {
    try (Helper helper = new Helper(kernel, connection)) {
      clientPid = kernel.call(new SocketCall.PeerCredentials(connection.descriptor())).getFirst();
      beforeEach.run();
      Hello hello = helper.hello();
      if (Shim.isNamed(hello.argv())) {
        serveShim(helper, connection, hello);
        return new End(null);
      }
      ObservedHelper client = new ObservedHelper(helper, "client", relay);
      Invocation invocation = new Invocation(client);
      int status =
          JrunCommand.execute(
              hello.argv().subList(1, hello.argv().size()),
              new EngineOperations(engine, containers, client, hello, invocation),
              invocation);
      afterEach.run();
      invocation.exit(status);
      return new End(null);
    } catch (HelperGoneException e) {
      return new End(null); // as the engine takes it
    } catch (Throwable e) {
      return new End(e);
    }
  }

  private void serveShim(Helper helper, OwnedDescriptor connection, Hello hello) {
    if (Shim.isKeeper(hello.argv())) shim.serve(connection, hello);
    else new Invocation(helper).exit(shim.command(helper, hello));
  }

  /// Lets the keepers of pods go, which come back and send again what is not answered.
  void leave() {
    shim.leave(0);
  }

  /// Whether no command's thread is left, a moment after the last one.
  static boolean idle() {
    return Sandbox.eventually(() ->
        Thread.getAllStackTraces().keySet().stream()
            .noneMatch(running -> running.getName().startsWith("test-command")));
  }

  /// Waits until the engine is done with the next command.
  End awaitEnd() throws InterruptedException {
    End end = ended.poll(Sandbox.TIMEOUT_SECONDS, TimeUnit.SECONDS);
    if (end == null) {
      StringBuilder where = new StringBuilder("the engine does not finish a command:");
      Thread.getAllStackTraces()
          .forEach((running, frames) -> {
            if (!running.getName().startsWith("test-command")) return;
            for (StackTraceElement frame : frames) where.append("\n  at ").append(frame);
          });
      throw new AssertionError(where.toString());
    }
    return end;
  }

  @Override
  public void close() throws InterruptedException {
    closing = true;
    thread.join();
    listener.close();
  }
}
