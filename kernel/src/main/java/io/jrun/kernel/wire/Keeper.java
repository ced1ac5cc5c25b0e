package io.jrun.kernel.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SocketCall;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The keeper of a pod at the other end of a socket; protocol.h has the messages. One thread
/// receives, any may send.
public final class Keeper implements AutoCloseable {
  /// The connection that the keeper has not accepted but was given.
  public static final int OUTGOING = 0;

  public static final int FIRST_PLACE = Protocol.KEEPER_FIRST_PLACE;
  public static final int PLACES = Protocol.KEEPER_PLACES;
  private static final String WORKER = "jrun-worker";
  private static final long OPEN_SECONDS = 30;
  private static final int LIKELY = 1024;
  private static final byte[] NOTHING = {};

  private final Kernel kernel;
  private final Frames frames;
  private final Map<Integer, CompletableFuture<Integer>> opening = new ConcurrentHashMap<>();
  private final Object closing = new Object();
  private volatile boolean isClosed;

  /// What each thread has gathered for this keeper; null where it sends at once.
  @SuppressWarnings("ThreadLocalUsage") // taken away when it is sent
  private final ThreadLocal<@Nullable ByteArrayOutputStream> gathered = new ThreadLocal<>();

  /// @param socket whose hello was received
  public Keeper(Kernel kernel, OwnedDescriptor socket) {
    this.kernel = kernel;
    this.frames = new Frames(kernel, socket);
  }

  /// Lets the keeper begin.
  public void welcome() {
    send(Protocol.KEEPER_WELCOME, 0, Protocol.KEEPER_VERSION, NOTHING, null);
  }

  /// The next message but those that answer [#open].
  ///
  /// @throws HelperGoneException when the keeper has ended
  public KeeperMessage receive() {
    while (true) {
      KeeperMessage message = receiveAny();
      if (!(message instanceof KeeperMessage.Opened(int number, int errno))) return message;
      CompletableFuture<Integer> asked = opening.remove(number);
      if (asked != null) asked.complete(errno);
    }
  }

  private KeeperMessage receiveAny() {
    return KeeperMessage.read(
        frames
            .receive(
                Protocol.KEEPER_MESSAGE_SIZE,
                LIKELY,
                header -> {
                  int size = header.getInt(0);
                  if (size < 0 || size > Protocol.TTRPC_HEADER + Protocol.TTRPC_LIMIT)
                    throw new HelperGoneException("the keeper's message makes no sense");
                  return Protocol.KEEPER_MESSAGE_SIZE + size;
                })
            .bytes());
  }

  /// What this thread sends from now on goes together, at [#sendGathered]: each message that comes
  /// by itself wakes the keeper. The thread may wait for nobody meanwhile.
  public void gather() {
    if (gathered.get() == null) gathered.set(new ByteArrayOutputStream());
  }

  /// Sends what this thread has gathered, and what it sends from now on at once.
  public void sendGathered() {
    ByteArrayOutputStream all = gathered.get();
    if (all == null) return;
    gathered.remove();
    if (all.size() > 0) send(all.toByteArray(), List.of());
  }

  private synchronized void send(byte[] messages, List<Integer> descriptors) {
    if (isClosed) throw new HelperGoneException("the keeper ended");
    frames.send(messages, messages.length, descriptors);
  }

  private void send(
      int kind, int connection, int stream, byte[] data, @Nullable OwnedDescriptor descriptor) {
    byte[] message = message(kind, connection, stream, data);
    ByteArrayOutputStream all = gathered.get();
    if (all != null && descriptor == null) {
      all.writeBytes(message);
      return;
    }
    // a descriptor comes with the first message of those that are sent together
    sendGathered();
    send(message, descriptor == null ? List.of() : List.of(descriptor.number()));
  }

  private static byte[] message(int kind, int connection, int stream, byte[] data) {
    return ByteBuffer.allocate(Protocol.KEEPER_MESSAGE_SIZE + data.length)
        .order(ByteOrder.nativeOrder())
        .putInt(data.length)
        .putShort((short) kind)
        .putShort((short) 0)
        .putInt(connection)
        .putInt(stream)
        .put(data)
        .array();
  }

  /// Answers a kept frame, which is forgotten with that.
  public void answer(int connection, int stream, byte[] frame) {
    send(Protocol.KEEPER_ANSWER, connection, stream, frame, null);
  }

  /// Sends a frame on the outgoing connection.
  public void sendOut(int stream, byte[] frame) {
    send(Protocol.KEEPER_SEND, OUTGOING, stream, frame, null);
  }

  /// Forgets a kept frame.
  public void release(int connection, int stream) {
    send(Protocol.KEEPER_RELEASE, connection, stream, NOTHING, null);
  }

  /// Has a descriptor kept under a number from [#FIRST_PLACE] on, in place of one that was there.
  public void place(int number, OwnedDescriptor descriptor) {
    send(Protocol.KEEPER_PLACE, 0, number, NOTHING, descriptor);
  }

  /// Has the keeper keep the `cgroup.procs` of a cgroup for the engines that it starts, unless it
  /// has been given those before.
  ///
  /// @param index of the hierarchy
  public void home(int index, OwnedDescriptor procs) {
    if (index < Protocol.KEEPER_HOMES) place(FIRST_PLACE + PLACES + index, procs);
  }

  /// Has the keeper open a file without waiting and keep it under a number.
  ///
  /// @return the errno, 0 where it is open
  /// @throws HelperGoneException where it does not answer
  public int open(int number, String path, int flags) {
    byte[] bytes = Arrays.copyOf(path.getBytes(UTF_8), path.getBytes(UTF_8).length + 1);
    CompletableFuture<Integer> answer = new CompletableFuture<>();
    opening.put(number, answer);
    send(Protocol.KEEPER_OPEN, flags, number, bytes, null);
    sendGathered();
    try {
      return answer.get(OPEN_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new HelperGoneException("the keeper does not answer");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HelperGoneException("interrupted");
    }
  }

  /// Closes what is kept under that number.
  public void drop(int number) {
    send(Protocol.KEEPER_DROP, 0, number, NOTHING, null);
  }

  /// Gives the keeper its outgoing connection.
  public void outgoing(OwnedDescriptor socket) {
    send(Protocol.KEEPER_OUTGOING, OUTGOING, 0, NOTHING, socket);
  }

  /// Exits up to that one need not be in the keeper's file any more.
  public void trim(long sequence) {
    byte[] bytes =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(sequence).array();
    send(Protocol.KEEPER_TRIM, 0, 0, bytes, null);
  }

  /// Ends the keeper when all answers are sent.
  public void quit() {
    send(Protocol.KEEPER_QUIT, 0, 0, NOTHING, null);
  }

  /// A worker: a child of the keeper that serves batches, in the keeper's directory, `/`, with its
  /// standard descriptors, which are /dev/null and the shim's log. It ends with this engine.
  public HelperKernel fork() {
    return fork(0);
  }

  /// A worker that has the kept descriptors, under their numbers.
  public HelperKernel forkSeeingPlaces() {
    return fork(Protocol.KEEPER_SEES_PLACES);
  }

  /// A worker for a process that outlives the engine, and whose exit is reported.
  public HelperKernel forkLasting() {
    return fork(Protocol.KEEPER_STAYS);
  }

  private HelperKernel fork(int how) {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    OwnedDescriptor ours = new OwnedDescriptor(kernel, pair.get(0));
    try (OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1))) {
      send(Protocol.KEEPER_FORK, 0, how, NOTHING, theirs);
      return new Helper(kernel, ours);
    } catch (RuntimeException e) {
      ours.close();
      throw e;
    }
  }

  /// A worker that runs that program instead of the keeper's own, which may be of another build. It
  /// has none of the kept descriptors.
  public HelperKernel fork(OwnedDescriptor program) {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    OwnedDescriptor ours = new OwnedDescriptor(kernel, pair.get(0));
    try (OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1));
        HelperKernel old = fork()) {
      Batch batch = new Batch();
      Descriptor socket = batch.pass(theirs);
      Descriptor exe = batch.pass(program);
      batch.add(new DescriptorCall.Dup3(socket, Protocol.WORKER_SOCKET, 0));
      batch.add(new FileCall.Close(socket));
      batch.add(
          new ProcessCall.Execveat(exe, "", List.of(WORKER), List.of(), FileCall.AT_EMPTY_PATH));
      old.runToEnd(batch);
      return new Helper(kernel, ours);
    } catch (RuntimeException e) {
      ours.close();
      throw e;
    }
  }

  /// Ends both directions, so that whoever receives sees the end, and whoever sends waits no more.
  public void shutdown() {
    synchronized (closing) {
      if (isClosed) return;
      try {
        kernel.call(new SocketCall.Shutdown(frames.socket(), 2));
      } catch (KernelException e) {
        // it has ended already
      }
    }
  }

  /// Not while anybody sends: the descriptor's number may be another client's a moment later.
  @Override
  public void close() {
    HelperGoneException gone = new HelperGoneException("the keeper ended");
    opening.values().forEach(asked -> asked.completeExceptionally(gone));
    shutdown();
    synchronized (this) {
      synchronized (closing) {
        isClosed = true;
        frames.close();
      }
    }
  }
}
