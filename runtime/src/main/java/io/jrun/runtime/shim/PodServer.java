package io.jrun.runtime.shim;

import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.wire.Keeper;
import io.jrun.kernel.wire.KeeperMessage;
import io.jrun.kernel.wire.KeeperState;
import io.jrun.specs.proto.ProtoException;
import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcFrame;
import io.jrun.specs.ttrpc.TtrpcRequest;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// Serves one pod, for as long as its keeper or this engine lives: requests that the keeper relays
/// are performed each by a thread of its own, or at once where they wait for nothing, and answered
/// in any order but for the last ones of a task ([OpenCalls]).
final class PodServer implements Pod.Listener, AutoCloseable {
  /// Where keepers write exits and engines their journals, by the name of the keeper's socket.
  static final Path DIRECTORY = Path.of("/run/jrun-shim");

  private static final long LEAVING_MILLIS = 60_000;

  private static final Set<String> MAKING = Set.of("Create", "CreateSandbox");

  /// For containerd to close the connection over which it has shut a sandbox down. Of an answer and
  /// an end that come together it may see the end alone, and calls that a failure.
  private static final long LAST_MILLIS = 5000;

  /// Without a task for so long nobody will shut the pod down: containerd does that at once after
  /// the last Delete, and creates at once after `start`; one that died in between has forgotten it.
  private static final long UNUSED_MILLIS = Long.getLong("jrun.shim.unusedMillis", 15_000);

  private final Keeper keeper;
  private final ExecutorService threads;
  private final Runnable activity;
  private final PodTimers timers;
  private final Path directory;
  private final KeeperState state;
  private final EventQueue events;
  private final Pod pod;
  private final TaskService tasks;
  private final OpenCalls open = new OpenCalls();
  private final AtomicBoolean looksForRemoved = new AtomicBoolean();
  private volatile boolean isLeaving;

  /// The connection that asked for ShutdownSandbox; none has number 0.
  private volatile int shutDownOver;

  private boolean hasQuit;

  PodServer(
      SharedByPods engine, Keeper keeper, KeeperState state, ShimLine line, List<String> env) {
    this.keeper = keeper;
    this.threads = engine.threads();
    this.activity = engine.activity();
    this.timers = new PodTimers(engine.timer());
    this.state = state;
    this.directory = directory(state);
    this.events =
        new EventQueue(
            engine.kernel(),
            keeper,
            engine.timer(),
            address(env),
            line.namespace(),
            this::quitWhereDone);
    this.pod = new Pod(engine.kernel(), directory, this);
    this.tasks = new TaskService(engine, keeper, pod, state, line, env);
  }

  private static String address(List<String> env) {
    for (String variable : env)
      if (variable.startsWith("TTRPC_ADDRESS=")) return variable.substring(14);
    return "";
  }

  /// Until the keeper ends or lets this engine go.
  void serve() {
    events.begin(state, pod.firstEvent(), pod.events());
    pod.catchUp();
    tasks.resume();
    goOnWithShutdown();
    quitWhereUnused();
    lookForRemoved();
    try {
      while (true) {
        KeeperMessage message = keeper.receive();
        activity.run();
        keeper.gather();
        receive(message);
        keeper.sendGathered();
      }
    } catch (HelperGoneException e) {
      // a new engine has it then, or it has ended
    } finally {
      close();
    }
  }

  /// A request that is still to be answered, such as the Shutdown itself, would find the keeper
  /// gone; it comes at once, or never where whoever sent it is gone.
  private void goOnWithShutdown() {
    if (!state.hasRequest()) {
      endShutdown();
      return;
    }
    timers.schedule(PodTimers.Action.END_SHUTDOWN, this::endShutdown, Takeover.UNASKED_MILLIS);
  }

  private void endShutdown() {
    tasks.end().takeEffect();
    quitWhereDone();
  }

  private void receive(KeeperMessage message) {
    switch (message) {
      case KeeperMessage.Attach ignored ->
          throw new IllegalStateException("a keeper attaches twice");
      case KeeperMessage.Frame frame when frame.connection() == Keeper.OUTGOING ->
          events.answered(frame.stream(), frame.bytes());
      case KeeperMessage.Frame frame -> receive(frame);
      case KeeperMessage.Closed(int connection) when connection == Keeper.OUTGOING ->
          events.disconnected();
      case KeeperMessage.Closed(int connection) -> {
        pod.disconnected(connection);
        if (connection == shutDownOver) endShutdown();
      }
      case KeeperMessage.Opened ignored -> {
        // the keeper has told who asked
      }
      case KeeperMessage.Exited exited -> pod.reaped(exited.exit());
    }
  }

  private void receive(KeeperMessage.Frame frame) {
    Call call;
    try {
      if (frame.isOversized())
        throw new RpcException(
            StatusCode.RESOURCE_EXHAUSTED,
            "message length exceeds maximum message size of " + TtrpcFrame.LIMIT);
      call = read(frame);
    } catch (RpcException e) {
      answer(frame, failure(e.code(), e));
      return;
    }
    open.add(call);
    if (!tasks.performAtOnce(call, () -> perform(call))) threads.execute(() -> perform(call));
  }

  private static Call read(KeeperMessage.Frame frame) {
    try {
      TtrpcFrame ttrpc = TtrpcFrame.read(frame.bytes());
      if (ttrpc.type() != TtrpcFrame.REQUEST)
        throw new RpcException(
            StatusCode.INVALID_ARGUMENT, "unexpected message of type " + ttrpc.type());
      if ((frame.stream() & 1) == 0)
        throw new RpcException(
            StatusCode.INVALID_ARGUMENT, "StreamID must be odd for client initiated streams");
      TtrpcRequest request = TtrpcRequest.read(ttrpc.data());
      return new Call(frame.connection(), frame.stream(), frame.isReplayed(), request);
    } catch (ProtoException e) {
      throw new RpcException(StatusCode.INVALID_ARGUMENT, "unmarshal request: " + e.getMessage());
    }
  }

  private static TtrpcResponse failure(StatusCode code, RuntimeException cause) {
    return TtrpcResponse.failure(code, String.valueOf(cause.getMessage()));
  }

  private void perform(Call call) {
    try {
      if (call.isLast()) open.awaitEarlier(call);
      byte[] payload = tasks.perform(call);
      if (call.isLast()) open.awaitLater(call);
      if (payload != null) answer(call, TtrpcResponse.ok(payload));
    } catch (RpcException e) {
      answer(call, failure(e.code(), e));
    } catch (HelperGoneException e) {
      if (!isLeaving) answer(call, failure(StatusCode.UNKNOWN, e));
    } catch (ProtoException e) {
      answer(call, failure(StatusCode.INVALID_ARGUMENT, e));
    } catch (RuntimeException e) {
      if (e.getMessage() == null || e instanceof NullPointerException) e.printStackTrace();
      answer(call, failure(StatusCode.UNKNOWN, e));
    } catch (Error e) {
      e.printStackTrace();
      answer(call, TtrpcResponse.failure(StatusCode.INTERNAL, "internal error: " + e));
    } finally {
      sendGathered();
      open.remove(call);
    }
  }

  private void answer(Call call, TtrpcResponse response) {
    boolean isLast = call.method().equals("ShutdownSandbox");
    if (isLast) shutDownOver = call.connection();
    send(call.connection(), call.stream(), response);
    if (isLast) timers.schedule(PodTimers.Action.END_SHUTDOWN, this::endShutdown, LAST_MILLIS);
    tasks.answered(call);
    quitWhereDone();
    if (MAKING.contains(call.method())) quitWhereUnused(); // it may have failed
  }

  private void answer(KeeperMessage.Frame frame, TtrpcResponse response) {
    send(frame.connection(), frame.stream(), response);
  }

  private void send(int connection, int stream, TtrpcResponse response) {
    byte[] data = response.toBytes();
    if (data.length > TtrpcFrame.LIMIT)
      data =
          TtrpcResponse.failure(StatusCode.RESOURCE_EXHAUSTED, "the answer is too long").toBytes();
    try {
      keeper.answer(
          connection, stream, new TtrpcFrame(stream, TtrpcFrame.RESPONSE, 0, data).toBytes());
    } catch (HelperGoneException e) {
      // nobody to tell
    }
    sendGathered(); // only then it cannot be lost any more
  }

  private void sendGathered() {
    try {
      keeper.sendGathered();
    } catch (HelperGoneException e) {
      // nobody to tell
    }
  }

  /// After a Shutdown the keeper goes once containerd has all events.
  private void quitWhereDone() {
    if (!tasks.end().isShutDown()) return;
    if (events.isEmpty()) {
      quit();
      return;
    }
    timers.schedule(PodTimers.Action.QUIT, this::quit, LEAVING_MILLIS);
  }

  private void quitWhereUnused() {
    long before = tasks.end().tasksBefore();
    if (before < 0 || tasks.end().isShutDown()) {
      timers.cancel(PodTimers.Action.QUIT_IF_UNUSED);
      return;
    }
    timers.schedule(
        PodTimers.Action.QUIT_IF_UNUSED,
        () -> threads.execute(() -> quitIfUnused(before)),
        UNUSED_MILLIS);
  }

  private void quitIfUnused(long before) {
    if (isLeaving || tasks.end().isShutDown() || tasks.end().tasksBefore() != before) return;
    tasks.end().shutDownUnasked();
    quitWhereDone();
  }

  /// As long as there are tasks that have ended.
  private void lookForRemoved() {
    if (!tasks.haveEnded() || looksForRemoved.getAndSet(true)) return;
    timers.schedule(
        PodTimers.Action.FORGET_REMOVED, () -> threads.execute(this::forgetRemoved), UNUSED_MILLIS);
  }

  private void forgetRemoved() {
    if (isLeaving) return;
    looksForRemoved.set(false);
    tasks.forgetRemoved();
    lookForRemoved();
  }

  private synchronized void quit() {
    if (hasQuit || !tasks.end().isShutDown()) return;
    hasQuit = true;
    end(keeper, directory);
  }

  /// Whether an engine before has begun to end it: the keeper's file of exits goes first.
  static boolean isEnding(KeeperState state) {
    return !Files.exists(directory(state).resolve("exits"));
  }

  static void end(Keeper keeper, KeeperState state) {
    end(keeper, directory(state));
  }

  private static void end(Keeper keeper, Path directory) {
    forget(directory);
    try {
      keeper.quit();
    } catch (HelperGoneException e) {
      // gone already
    }
  }

  /// Removes what is written down about a pod.
  static void forget(Path directory) {
    for (String name : List.of("exits", "journal.new", "journal", "")) {
      try {
        Files.deleteIfExists(directory.resolve(name));
      } catch (IOException e) {
        throw new UncheckedIOException(
            "removing " + directory.resolve(name) + ": " + IoReason.of(e), e);
      }
    }
  }

  private static Path directory(KeeperState state) {
    return directory(Path.of(state.socket()));
  }

  static Path directory(Path socket) {
    return DIRECTORY.resolve(socket.getFileName());
  }

  /// Lets the keeper go to another engine, once what is under way is answered.
  void leave(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (!open.isEmpty() && System.nanoTime() < end) {
      try {
        Thread.sleep(1);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    isLeaving = true;
    keeper.shutdown();
  }

  @Override
  public void happened(PodEvent event) {
    events.add(event);
  }

  @Override
  public void emptied() {
    quitWhereUnused();
  }

  @Override
  public void ended(TaskProcess process) {
    tasks.ended(process);
    lookForRemoved();
    for (Call waiter : pod.takeWaiters(process))
      answer(waiter, TtrpcResponse.ok(TaskInfo.exit(process)));
  }

  @Override
  public void initReaped(TaskProcess init) {
    threads.execute(() -> tasks.endOthers(init));
  }

  @Override
  public void writtenDown(long sequence) {
    keeper.trim(sequence);
  }

  @Override
  public long eventsTaken() {
    return events.isEmpty() ? events.next() : -1;
  }

  @Override
  public void close() {
    isLeaving = true;
    timers.close();
    events.close();
    tasks.close();
    pod.close();
    keeper.close();
  }
}
