package io.jrun.cni.etcd;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.ClientBuilder;
import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.common.exception.ErrorCode;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import io.etcd.jetcd.options.WatchOption;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.jrun.kernel.BriefThreads;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;

/// A connection to an etcd, over whichever of its endpoints answers. Every request but the first
/// ends within the configured time. Its threads are daemons and go when it is closed.
public final class EtcdClient implements AutoCloseable {
  private static final long RETRY_MILLIS = 50;

  /// The first answer also waits for gRPC to be loaded, connections to be made, and a user to be
  /// known.
  private static final long START_MILLIS = 5000;

  private static final Duration ALIVE = Duration.ofSeconds(5);

  // a strong reference: java.util.logging drops loggers, and with them their level
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  private final EtcdConfig config;
  private final ExecutorService threads = BriefThreads.named("etcd");
  private final Client client;
  private volatile boolean hasAnswered;

  public EtcdClient(EtcdConfig config) {
    this.config = config;
    GRPC.setLevel(Level.WARNING); // it tells that it found no epoll library, which nobody misses
    System.setProperty("slf4j.internal.verbosity", "ERROR"); // and slf4j that it logs nowhere
    Duration timeout = Duration.ofMillis(config.timeoutMillis());
    ClientBuilder builder =
        Client.builder()
            .endpoints(config.endpoints().toArray(String[]::new))
            .waitForReady(false)
            .executorService(threads)
            .connectTimeout(timeout)
            .keepaliveTime(ALIVE)
            .keepaliveTimeout(timeout)
            .keepaliveWithoutCalls(false)
            .retryDelay(RETRY_MILLIS)
            .retryMaxDelay(4 * RETRY_MILLIS)
            .retryMaxDuration(timeout);
    try {
      if (config.endpoints().getFirst().startsWith("https://")) {
        SslContextBuilder tls = GrpcSslContexts.forClient();
        if (config.caFile() != null) tls.trustManager(config.caFile().toFile());
        if (config.certFile() != null && config.keyFile() != null) {
          tls.keyManager(config.certFile().toFile(), config.keyFile().toFile());
        }
        builder.sslContext(tls.build());
      }
      if (config.username() != null && config.passwordFile() != null) {
        builder
            .user(bytes(config.username()))
            .password(bytes(Files.readString(config.passwordFile()).strip()));
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new EtcdException(in(config) + e.getMessage(), true, e);
    }
    this.client = builder.build();
  }

  private static ByteSequence bytes(String text) {
    return ByteSequence.from(text, StandardCharsets.UTF_8);
  }

  private static String in(EtcdConfig config) {
    return "etcd at " + String.join(", ", config.endpoints()) + ": ";
  }

  private <T> T await(CompletableFuture<T> future) {
    // a little longer than the tries within, whose reason says more
    long millis = config.timeoutMillis() + 4 * RETRY_MILLIS + (hasAnswered ? 0 : START_MILLIS);
    try {
      T answer = future.get(millis, TimeUnit.MILLISECONDS);
      hasAnswered = true;
      return answer;
    } catch (TimeoutException e) {
      future.cancel(true);
      throw new EtcdException(in(config) + "no answer in " + millis + " ms", false, e);
    } catch (ExecutionException e) {
      throw failure(e.getCause() == null ? e : e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private EtcdException failure(Throwable cause) {
    List<String> texts = new ArrayList<>();
    boolean isRefusal = false;
    for (Throwable at = cause; at != null; at = at.getCause()) {
      String text = String.valueOf(at.getMessage()).lines().findFirst().orElse("").strip();
      if (!text.isEmpty() && texts.stream().noneMatch(said -> said.contains(text))) {
        texts.add(text);
      }
      if (at instanceof io.grpc.StatusRuntimeException status) {
        isRefusal |= isRefusal(status.getStatus().getCode());
      }
      if (at instanceof io.etcd.jetcd.common.exception.EtcdException known) {
        isRefusal |=
            known.getErrorCode() == ErrorCode.UNAUTHENTICATED
                || known.getErrorCode() == ErrorCode.PERMISSION_DENIED
                || known.getErrorCode() == ErrorCode.INVALID_ARGUMENT;
      }
    }
    return new EtcdException(in(config) + String.join(": ", texts), isRefusal, cause);
  }

  private static boolean isRefusal(Status.Code code) {
    return switch (code) {
      case UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT -> true;
      default -> false;
    };
  }

  /// All keys with that prefix, of one moment.
  public Snapshot list(String prefix) {
    GetResponse response =
        await(client.getKVClient().get(bytes(prefix), GetOption.builder().isPrefix(true).build()));
    List<Entry> entries = new ArrayList<>();
    for (KeyValue one : response.getKvs()) {
      entries.add(
          new Entry(
              one.getKey().toString(StandardCharsets.UTF_8),
              one.getValue().toString(StandardCharsets.UTF_8),
              one.getModRevision(),
              one.getLease()));
    }
    return new Snapshot(response.getHeader().getRevision(), entries);
  }

  /// Makes all of the changes where all of the conditions hold, else none.
  ///
  /// @return whether they held
  public boolean commit(List<Condition> conditions, List<Change> changes) {
    Cmp[] ifs = conditions.stream().map(EtcdClient::compare).toArray(Cmp[]::new);
    Op[] thens = changes.stream().map(EtcdClient::operation).toArray(Op[]::new);
    return await(client.getKVClient().txn().If(ifs).Then(thens).commit()).isSucceeded();
  }

  private static Cmp compare(Condition condition) {
    CmpTarget<?> target =
        switch (condition) {
          case Condition.Absent absent -> CmpTarget.version(0);
          case Condition.Unchanged(String key, long revision) -> CmpTarget.modRevision(revision);
        };
    return new Cmp(bytes(condition.key()), Cmp.Op.EQUAL, target);
  }

  private static Op operation(Change change) {
    return switch (change) {
      case Change.Put(String key, String value, long lease) ->
          Op.put(bytes(key), bytes(value), PutOption.builder().withLeaseId(lease).build());
      case Change.Delete(String key) -> Op.delete(bytes(key), DeleteOption.DEFAULT);
    };
  }

  /// A new lease; keys that go with it vanish when it has not been kept alive for so long.
  public long grant(long seconds) {
    return await(client.getLeaseClient().grant(seconds)).getID();
  }

  /// @return whether the lease was there
  public boolean keepAlive(long lease) {
    try {
      return await(client.getLeaseClient().keepAliveOnce(lease)).getTTL() > 0;
    } catch (EtcdException e) {
      for (Throwable at = e; at != null; at = at.getCause()) {
        if (String.valueOf(at.getMessage()).contains("requested lease not found")) return false;
      }
      throw e;
    }
  }

  /// Ends a lease with all of its keys.
  public void revoke(long lease) {
    await(client.getLeaseClient().revoke(lease));
  }

  /// Tells the keys of a prefix that change from a revision on.
  ///
  /// @param broken told when the watch ended, as when the revision has been compacted away; what
  ///   happened since must be listed
  public AutoCloseable watch(
      String prefix, long revision, Consumer<List<String>> changed, Runnable broken) {
    WatchOption option =
        WatchOption.builder().isPrefix(true).withRevision(revision).withRequireLeader(true).build();
    Watch.Watcher watcher =
        client
            .getWatchClient()
            .watch(
                bytes(prefix),
                option,
                Watch.listener(
                    response ->
                        changed.accept(
                            response.getEvents().stream()
                                .map(e -> e.getKeyValue().getKey().toString(StandardCharsets.UTF_8))
                                .toList()),
                    error -> broken.run(),
                    broken));
    return watcher;
  }

  @Override
  public void close() {
    client.close();
    threads.shutdown();
  }
}
