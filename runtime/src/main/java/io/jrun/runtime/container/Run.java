package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Reply;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.cli.RunOptions;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Hooks;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Status;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// `run`: a container is made and its program started at once, by the client that is init's parent;
/// in the foreground that watches it, and deletes it at its end.
final class Run {
  private final Containers containers;
  private final ClientProcess client;
  private final Store store;
  private final RunOptions given;
  private final Creation creation;

  /// @param creation of the container, with its [#role]
  Run(
      Containers containers,
      ClientProcess client,
      Store store,
      RunOptions given,
      Creation creation) {
    this.containers = containers;
    this.client = client;
    this.store = store;
    this.given = given;
    this.creation = creation;
  }

  static Creation.Role role(RunOptions given) {
    if (given.detach()) return Creation.Role.LEAVES;
    return given.noSubreaper() ? Creation.Role.WATCHES : Creation.Role.WATCHES_AND_REAPS;
  }

  /// The exit status; 0 where nobody watches.
  int run() {
    Creation.Made made = creation.create();
    Process process = Objects.requireNonNull(made.config().process());
    Hooks hooks = made.config().hooks();
    boolean attached = !given.detach();
    byte[] termios = new byte[0];
    Foreground foreground = null;
    client.log.step("starting ", made.program());
    NotifySocket notify = null;
    try {
      notify = NotifySocket.bind(containers.kernel, client, store, creation.id());
      if (attached && made.master() != null)
        termios = Console.raw(containers.kernel, client.helper, made.master());
      HelperKernel init = made.init().helper();
      int pid = made.state().initPid();
      Reply held = attached ? Foreground.hold(client.helper) : null;
      // from here on the client needs no command to run when the engine dies: it ends with the
      // status it saw
      if (given.keep()) client.helper.send(onEofOnly());
      byte[] filter =
          new SeccompListener(client.helper, made.config(), made.state())
              .load(init, process, made.seccomp(), made.seccompFlags(), Status.CREATED, pid);
      made.hooks()
          .startContainer(
              made.env(),
              init,
              process.noNewPrivileges() ? filter : null,
              made.seccompFlags(),
              made.seccomp() != null && (filter == null || !process.noNewPrivileges()));
      // the client runs poststart hooks, and tells that the container is ready, before it watches
      if (attached && hooks.poststart().isEmpty() && notify == null)
        foreground = watch(made, termios);
      Batch last =
          Program.last(
              made.program(),
              process,
              made.env(),
              filter,
              made.seccompFlags(),
              made.state().preservedFds());
      if (held != null) held.await();
      Program.awaitStart(init.sendToEnd(last), process.args().getFirst());
    } catch (RuntimeException e) {
      if (notify != null) notify.close();
      if (foreground != null) abandon(made, foreground, e);
      else Console.restore(client.helper, termios);
      creation.undo(e);
      throw e;
    }
    try {
      return goOn(made, termios, foreground, notify);
    } catch (HelperGoneException e) {
      throw e; // a client that was killed leaves its running container
    } catch (RuntimeException e) {
      try {
        if (!given.keep() && creation.claimed())
          new Deletion(containers, client, store)
              .destroy(creation.claim(), made.state(), made.config(), made.cgroup());
      } catch (RuntimeException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }

  /// What follows once the program runs: its status, or 0 when it is not watched.
  ///
  /// @param watching null where the client does not watch yet
  private int goOn(
      Creation.Made made,
      byte[] termios,
      @Nullable Foreground watching,
      @Nullable NotifySocket notify) {
    made.init().close();
    store.started(creation.claim());
    creation.release();
    try {
      made.hooks().poststart();
    } catch (ContainerException e) {
      Console.restore(client.helper, termios);
      if (made.master() != null) made.master().close();
      end(made.state(), e);
      throw e;
    }
    if (notify != null) {
      try (notify) {
        notify.await(containers.init(made.state()));
      }
    }
    if (given.detach()) return 0;
    if (!given.keep() && made.networks() != null && endsWithInit(made.config()))
      new Networking(containers, client, store, made.state())
          .detachAtEnd(made.networks(), made.state().initPid());
    int status;
    try {
      status = (watching == null ? watch(made, termios) : watching).await();
    } finally {
      if (made.master() != null) made.master().close();
    }
    client.log.step("ended with status ", status);
    // not where another command has deleted it, and perhaps made another of its name
    if (!given.keep() && creation.claimed())
      new Deletion(containers, client, store)
          .destroy(creation.claim(), made.state(), made.config(), made.cgroup(), made.networks());
    return status;
  }

  private static boolean endsWithInit(Config config) {
    return config.linux().makes(NamespaceType.PID);
  }

  private Foreground watch(Creation.Made made, byte[] termios) {
    return Foreground.begin(
        containers, client.helper, made.state().initPid(), made.master(), termios);
  }

  private static Batch onEofOnly() {
    Batch batch = new Batch();
    batch.add(new PseudoCall.OnEof(List.of(), 0));
    return batch;
  }

  /// Ends an init that did not become its program, so that the client stops watching it.
  private void abandon(Creation.Made made, Foreground foreground, RuntimeException cause) {
    try {
      containers.init(made.state()).signal(SignalCall.SIGKILL);
      foreground.await();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  /// Ends a container's init, whose parent the client is: until it waits, init is a zombie.
  private void end(StoredState state, RuntimeException cause) {
    try {
      containers.init(state).signal(SignalCall.SIGKILL);
      client.helper.call(new ProcessCall.Wait4(state.initPid(), 0));
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }
}
