package io.jrun.cni.node;

import io.jrun.cni.CniException;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.kernel.Kernel;
import io.jrun.specs.json.Json;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Keeps this node's routes, and its place among the nodes, as they should be.
///
/// ```
///   agent                                  etcd
///     | join, renew lease, list nodes ----> |
///     | own addresses: put what lacks ----> |
///     | watch from that revision ---------> |
///     | routes, neighbours, tunnels         |
///     | <-------------- a key has changed   |   all of it again
/// ```
///
/// The routes are looked at every second whether the store answers or not, so what runs goes on
/// without it.
public final class NodeAgent implements AutoCloseable {
  private static final long FIRST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(8);
  private static final long LONGEST_RENEWAL_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final Kernel kernel;
  private final ClusterConfig config;
  private final Membership membership;
  private final Supplier<Map<IpAddress, Json.JsonObject>> holders;
  private final Consumer<Map<IpAddress, Json.JsonObject>> remote;
  private final Object changes = new Object();
  private boolean isChanged = true;
  private @Nullable AutoCloseable watch;
  private @Nullable NodeList known;
  private @Nullable CniException lost;
  private long dueNanos;
  private long pauseNanos = FIRST_PAUSE_NANOS;

  /// @param holders this node's addresses with what others may know of who has them
  /// @param remote is told other nodes' addresses, with the same of theirs
  public NodeAgent(
      Kernel kernel,
      ClusterConfig config,
      Membership membership,
      Supplier<Map<IpAddress, Json.JsonObject>> holders,
      Consumer<Map<IpAddress, Json.JsonObject>> remote) {
    this.kernel = kernel;
    this.config = config;
    this.membership = membership;
    this.holders = holders;
    this.remote = remote;
  }

  /// Reads the store when it is due, then sets the routes. While the store cannot be read each
  /// round fails for that reason, also those that do not try; the routes that are known are set all
  /// the same.
  ///
  /// @return the commands that are left to somebody else
  public List<String> round() {
    try {
      if (isDue()) {
        read();
        lost = null;
      }
    } catch (CniException e) {
      lost = e;
    }
    NodeList list = known;
    if (list == null) throw lost == null ? new IllegalStateException("no nodes") : lost;
    List<String> commands;
    try (NetlinkSocket host = NetlinkSocket.open(kernel)) {
      commands = new NodeRoutes(host, config).sync(list);
    }
    if (lost != null) throw lost;
    return commands;
  }

  private boolean isDue() {
    if (!(membership instanceof EtcdMembership)) return true;
    synchronized (changes) {
      if (System.nanoTime() >= dueNanos) return true;
      // a failed try waits, however much has changed
      return isChanged && pauseNanos == FIRST_PAUSE_NANOS;
    }
  }

  private void read() {
    if (!(membership instanceof EtcdMembership etcd)) {
      known = membership.nodes();
      return;
    }
    synchronized (changes) {
      isChanged = false;
    }
    try {
      etcd.refresh();
      known = etcd.nodes();
      etcd.reconcile(holders);
      if (watch == null) watch = etcd.watch(keys -> change(), this::broken);
      remote.accept(etcd.remote());
      pauseNanos = FIRST_PAUSE_NANOS;
      dueNanos = System.nanoTime() + renewalNanos();
    } catch (CniException e) {
      synchronized (changes) {
        isChanged = true;
      }
      dueNanos = System.nanoTime() + pauseNanos;
      pauseNanos = Math.min(2 * pauseNanos, LONGEST_PAUSE_NANOS);
      endWatch();
      throw e;
    }
  }

  /// Twice in a lease's time at least, with room for one that fails.
  private long renewalNanos() {
    int seconds = config.store() instanceof StoreConfig.InEtcd in ? in.etcd().leaseSeconds() : 1;
    return Math.min(LONGEST_RENEWAL_NANOS, TimeUnit.SECONDS.toNanos(seconds) / 3);
  }

  private void change() {
    synchronized (changes) {
      isChanged = true;
      changes.notifyAll();
    }
  }

  private void broken() {
    endWatch();
    change();
  }

  private void endWatch() {
    AutoCloseable ended;
    synchronized (changes) {
      ended = watch;
      watch = null;
    }
    if (ended == null) return;
    try {
      ended.close();
    } catch (Exception e) {
      // it was broken already; a new one begins with a list of everything
    }
  }

  /// Waits for a change, at most so many milliseconds.
  public void await(long millis) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    synchronized (changes) {
      while (!isTimeToAsk()) {
        long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        if (left <= 0) return;
        changes.wait(left);
      }
    }
  }

  /// False while a store that failed is left alone.
  private boolean isTimeToAsk() {
    return membership instanceof EtcdMembership && isChanged && pauseNanos == FIRST_PAUSE_NANOS;
  }

  @Override
  public void close() {
    endWatch();
  }
}
