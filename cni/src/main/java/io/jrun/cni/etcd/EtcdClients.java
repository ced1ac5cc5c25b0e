package io.jrun.cni.etcd;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Connections that stay open for a while after their use: the next ADD does not connect again, and
/// an engine that no longer uses etcd has no threads of its client.
public final class EtcdClients {
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long LOOK_MILLIS = 5000;
  private static final long LOST_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final class Open {
    private final EtcdClient client;
    private int users;
    private long since;

    Open(EtcdClient client) {
      this.client = client;
    }
  }

  private final Map<EtcdConfig, Open> open = new HashMap<>();
  private final Map<EtcdConfig, Long> lost = new HashMap<>();
  private @Nullable Thread closer;

  /// Does something over a connection.
  public <T> T with(EtcdConfig config, Function<EtcdClient, T> action) {
    Open taken = take(config);
    try {
      T result = action.apply(taken.client);
      note(config, false);
      return result;
    } catch (EtcdException e) {
      note(config, !e.isRefusal());
      throw e;
    } finally {
      giveBack(taken);
    }
  }

  private synchronized Open take(EtcdConfig config) {
    Open taken = open.computeIfAbsent(config, c -> new Open(new EtcdClient(c)));
    taken.users++;
    return taken;
  }

  private synchronized void giveBack(Open taken) {
    taken.users--;
    taken.since = System.nanoTime();
    if (closer == null) {
      closer = Thread.ofPlatform().name("etcd-closer").daemon(true).start(this::closeIdle);
    }
  }

  private synchronized void note(EtcdConfig config, boolean isLost) {
    if (isLost) lost.put(config, System.nanoTime());
    else lost.remove(config);
  }

  /// Whether its last request timed out a moment ago, so that a caller who can do without it does
  /// not wait again.
  public synchronized boolean isLost(EtcdConfig config) {
    Long since = lost.get(config);
    return since != null && System.nanoTime() - since < LOST_NANOS;
  }

  private void closeIdle() {
    while (true) {
      try {
        Thread.sleep(LOOK_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      synchronized (this) {
        long now = System.nanoTime();
        open.values()
            .removeIf(one -> {
              boolean isIdle = one.users == 0 && now - one.since > IDLE_NANOS;
              if (isIdle) one.client.close();
              return isIdle;
            });
        if (open.isEmpty()) {
          closer = null;
          return;
        }
      }
    }
  }
}
