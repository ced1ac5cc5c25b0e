package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Status;
import java.util.List;
import java.util.Objects;

/// `start`: the init that waits in its socket becomes its program.
final class Start {
  private static final Results NOTHING_BEFORE = new Results(List.of(), List.of(), List.of());

  private final Containers containers;
  private final ClientProcess client;
  private final Store store;

  Start(Containers containers, ClientProcess client, Store store) {
    this.containers = containers;
    this.client = client;
    this.store = store;
  }

  /// @param directory the container's, whose lock the caller holds
  void start(OwnedDescriptor directory, String id) {
    Store.Stored stored = store.load(id);
    StoredState state = stored.state();
    Status status = Statuses.of(containers, store, stored);
    if (status == Status.CREATING)
      throw new ContainerException("cannot start a container that is not made completely");
    Config config = containers.configs.of(stored);
    if (status == Status.STOPPED)
      throw new ContainerException("cannot start a container that has stopped");
    if (status == Status.PAUSED) // a frozen init would not answer
    throw new ContainerException("cannot start a container in the paused state");
    if (status != Status.CREATED)
      throw new ContainerException("cannot start an already running container");
    Process process = Objects.requireNonNull(config.process());
    OwnedDescriptor socket =
        OwnedDescriptor.open(
            containers.kernel,
            new SocketCall.Socket(
                SocketCall.AF_UNIX, SocketCall.SOCK_STREAM | SocketCall.SOCK_CLOEXEC, 0, false));
    try (Child init = new Child(client.helper.over(socket), state.initPid(), NOTHING_BEFORE);
        NotifySocket notify = NotifySocket.bind(containers.kernel, client, store, id)) {
      SocketPath.use(
          containers.kernel,
          store.initSocket(id).toString(),
          address -> new SocketCall.Connect(socket.descriptor(), address));
      HookRunner hooks = new HookRunner(containers.kernel, client, config, state);
      byte[] seccomp =
          config.linux().seccomp() == null
              ? null
              : containers.seccomp.compile(config.linux().seccomp());
      int flags =
          config.linux().seccomp() == null ? 0 : containers.seccomp.flags(config.linux().seccomp());
      Batch look = new Batch();
      Pending<byte[]> passwd = Program.askPasswd(look);
      Program.Search search = Program.search(look, process, seccomp);
      Results looked = init.helper().run(look);
      String program = search.program(looked);
      byte[] users = Program.passwd(init.helper(), looked, passwd);
      List<String> env = Program.environment(process, users, state.listenFds());
      seccomp =
          new SeccompListener(client.helper, config, state)
              .load(init.helper(), process, seccomp, flags, Status.CREATED, state.initPid());
      try {
        hooks.startContainer(
            env,
            init.helper(),
            process.noNewPrivileges() ? seccomp : null,
            flags,
            config.linux().seccomp() != null && (seccomp == null || !process.noNewPrivileges()));
      } catch (ContainerException e) {
        stop(state, e);
        throw e;
      }
      Program.start(
          init,
          Program.last(program, process, env, seccomp, flags, state.preservedFds()),
          process.args().getFirst());
      store.started(directory);
      client.log.step("started ", program);
      try {
        hooks.poststart();
      } catch (RuntimeException e) {
        stop(state, e);
        throw e;
      }
      if (notify != null) notify.await(containers.init(state));
    }
  }

  /// As the specification has it where one of the hooks fails.
  private void stop(StoredState state, RuntimeException cause) {
    HostProcess init = containers.init(state);
    Undoing.suppressing(
        cause,
        () -> {
          if (init.signal(SignalCall.SIGKILL)) init.awaitEnd(Deletion.END_MILLIS);
        });
  }
}
