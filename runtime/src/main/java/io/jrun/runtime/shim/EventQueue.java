package io.jrun.runtime.shim;

import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.UnixConnection;
import io.jrun.kernel.wire.Keeper;
import io.jrun.kernel.wire.KeeperState;
import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcFrame;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// The events of a pod on their way to containerd, one at a time and in their order. The keeper has
/// the connection and remembers what was sent and what was answered, so no engine's death loses an
/// event or sends it twice. Where containerd itself vanishes before it answers, the event is sent
/// again when it is back: it may then be told twice, and never not at all.
///
/// The n-th event of a pod, counted from 0, is the request of stream 2n + 1.
final class EventQueue {
  private static final long FIRST_PAUSE_MILLIS = 50;
  private static final long LONGEST_PAUSE_MILLIS = 2000;

  private final Kernel kernel;
  private final Keeper keeper;
  private final ScheduledExecutorService timer;
  private final String address;
  private final String namespace;
  private final Runnable emptied;
  private final Deque<PodEvent> events = new ArrayDeque<>();
  private long first;
  private boolean isConnected;
  private boolean isSent;
  private boolean isScheduled;
  private boolean isClosed;

  /// The stream of the last answer, which the keeper keeps until the next event is sent: a message
  /// of its own would wake the keeper once more for each event. 0 for none.
  private int answered;

  private long pauseMillis = FIRST_PAUSE_MILLIS;

  /// @param address the path of containerd's socket; empty where nobody takes events
  /// @param emptied is run when all events are taken
  EventQueue(
      Kernel kernel,
      Keeper keeper,
      ScheduledExecutorService timer,
      String address,
      String namespace,
      Runnable emptied) {
    this.kernel = kernel;
    this.keeper = keeper;
    this.timer = timer;
    this.address = address.startsWith("unix://") ? address.substring(7) : address;
    this.namespace = namespace;
    this.emptied = emptied;
  }

  /// The stream of the event with that number.
  private static int stream(long number) {
    return (int) (2 * number + 1);
  }

  /// Takes up the work of an engine before.
  ///
  /// @param numberOfFirst of the first event of the journal
  /// @param all of the journal
  synchronized void begin(KeeperState state, long numberOfFirst, Deque<PodEvent> all) {
    first = numberOfFirst;
    events.addAll(all);
    while (!events.isEmpty() && Integer.compareUnsigned(stream(first), state.released()) <= 0) {
      events.remove();
      first++;
    }
    isConnected = state.isOutgoing();
    isSent = state.sent() != state.released() && (isConnected || state.hasAnswer());
    pump();
  }

  synchronized void add(PodEvent event) {
    events.add(event);
    pump();
  }

  synchronized boolean isEmpty() {
    return events.isEmpty();
  }

  /// The number of the next event to be taken.
  synchronized long next() {
    return first;
  }

  private void pump() {
    if (isClosed || isSent || events.isEmpty()) return;
    if (address.isEmpty()) {
      first += events.size();
      events.clear();
      return;
    }
    try {
      if (!isConnected) connect();
      if (!isConnected) return;
      byte[] request = events.getFirst().toRequest(namespace).toBytes();
      isSent = true;
      int stream = stream(first);
      releaseAnswered();
      keeper.sendOut(stream, new TtrpcFrame(stream, TtrpcFrame.REQUEST, 0, request).toBytes());
    } catch (HelperGoneException e) {
      isClosed = true;
    }
  }

  private void releaseAnswered() {
    if (answered != 0) keeper.release(Keeper.OUTGOING, answered);
    answered = 0;
  }

  private void connect() {
    try (OwnedDescriptor socket = UnixConnection.open(kernel, address)) {
      keeper.outgoing(socket);
      isConnected = true;
      pauseMillis = FIRST_PAUSE_MILLIS;
    } catch (KernelException e) {
      later();
    }
  }

  private void later() {
    if (isScheduled) return;
    isScheduled = true;
    Future<?> _ = timer.schedule(this::again, pauseMillis, TimeUnit.MILLISECONDS);
    pauseMillis = Math.min(2 * pauseMillis, LONGEST_PAUSE_MILLIS);
  }

  private synchronized void again() {
    isScheduled = false;
    pump();
  }

  /// containerd has answered.
  void answered(int stream, byte[] frame) {
    synchronized (this) {
      releaseAnswered();
      answered = stream;
      if (!isSent || events.isEmpty() || stream != stream(first)) return;
      report(frame);
      isSent = false;
      events.remove();
      first++;
      pump();
      if (!events.isEmpty()) return;
    }
    emptied.run();
  }

  /// An event that containerd refuses would be refused again.
  private void report(byte[] frame) {
    try {
      TtrpcResponse response = TtrpcResponse.read(TtrpcFrame.read(frame).data());
      if (response.code() != StatusCode.OK)
        System.err.println(
            "jrun: containerd refuses " + events.getFirst().topic() + ": " + response.message());
    } catch (RuntimeException e) {
      System.err.println("jrun: containerd's answer to an event: " + e);
    }
  }

  /// containerd has closed the connection, or its keeper found it closed.
  synchronized void disconnected() {
    isConnected = false;
    isSent = false;
    if (!events.isEmpty() && !isClosed) later();
  }

  synchronized void close() {
    isClosed = true;
  }
}
