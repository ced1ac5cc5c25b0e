package io.jrun.cni.container;

import io.jrun.cni.CniException;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.network.AttachmentArgs;
import io.jrun.cni.network.CachedAttachment;
import io.jrun.cni.network.ConfigDirectory;
import io.jrun.cni.network.NetworkRuntime;
import io.jrun.cni.network.RecentNetworks;
import io.jrun.cni.network.ResultCache;
import io.jrun.cni.plugin.PluginExecutor;
import io.jrun.cni.plugin.ProcessExecutor;
import io.jrun.cni.simple.HelperCaller;
import io.jrun.cni.simple.OwnOrProcess;
import io.jrun.cni.simple.SimpleCni;
import io.jrun.kernel.Aside;
import io.jrun.kernel.BriefThreads;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Undoing;
import io.jrun.kernel.call.SignalCall;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.NetworkConfig;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Wires a container to networks and unwires it. What is needed for the latter is in the cache of
/// results, so it works after any crash, and when the configuration has changed or gone.
///
/// ```
///   runtime                                      here
///     | begin(client, id, …) -------------------> |  another thread: configurations, the bridge,
///     | written ---------------------------------> |    addresses, what filters and masquerades,
///     |                                           |    and eth0 where the namespace is there
///     | born(/proc/PID/ns/net) -----------------> |    and its result where that was all
///     | finish(/proc/PID/ns/net) ---------------> |  ADD of eth0, eth1, … in turn
///     | <- results: addresses                     |
///     | start                                     |
///     | detach(client, id) ---------------------> |  DEL of all that the cache has of it
/// ```
public final class ContainerNetworks implements Networks {
  private static final long PLUGIN_MILLIS = 120_000;

  private final Kernel kernel;
  private final SimpleCni plugin;
  private final Path ownHelper;
  private final ResultCache cache;
  private final RecentNetworks recent = new RecentNetworks();
  private final ExecutorService threads = BriefThreads.named("attaching");

  /// @param ownHelper the installed helper
  public ContainerNetworks(Kernel kernel, SimpleCni plugin, Path ownHelper, ResultCache cache) {
    this.kernel = kernel;
    this.plugin = plugin;
    this.ownHelper = ownHelper;
    this.cache = cache;
  }

  @Override
  public Attaching begin(
      HelperKernel client, List<String> env, String containerId, String sign, Wish wish) {
    HelperCaller caller = new HelperCaller(kernel, client, env);
    NetworkRuntime runtime = runtime(caller, client, env, wish.pluginPath());
    CompletableFuture<AttachingContainer.Word> word = new CompletableFuture<>();
    CompletableFuture<Optional<String>> netns = new CompletableFuture<>();
    Aside<List<BegunAttachment>> begun =
        new Aside<>(() -> {
          List<BegunAttachment> looked = begin(runtime, containerId, sign, wish);
          AttachingContainer.Word given = word.join();
          if (!given.goOn()) return looked;
          List<BegunAttachment> wired = wired(prepared(looked), given.namespace());
          if (!wired.stream().allMatch(BegunAttachment::isAllWired)) return wired;
          return netns.join().map(path -> added(wired, path, given)).orElse(wired);
        });
    threads.execute(begun);
    return new AttachingContainer(
        caller, word, netns, begun, path -> detach(runtime, containerId, path));
  }

  /// To the end, with what the caller does then.
  private static List<BegunAttachment> added(
      List<BegunAttachment> wired, String netns, AttachingContainer.Word word) {
    List<BegunAttachment> added = wired.stream().map(one -> one.added(netns)).toList();
    if (added.stream().anyMatch(BegunAttachment::hasFailed)) return added;
    try {
      word.then().accept(added.stream().flatMap(one -> one.attached().stream()).toList());
      return added;
    } catch (RuntimeException e) {
      return added.stream().map(one -> one.failed(e)).toList();
    }
  }

  /// With the interface of the first, where the namespace is there: those behind it come after all
  /// plugins of the first.
  private static List<BegunAttachment> wired(
      List<BegunAttachment> prepared, Optional<Supplier<NetworkNamespace>> namespace) {
    if (prepared.isEmpty() || namespace.isEmpty()) return prepared;
    NetworkNamespace there;
    try {
      there = namespace.get().get();
    } catch (KernelException e) {
      return prepared; // told to who waits for it too
    }
    prepared.set(0, prepared.getFirst().wired(there));
    return prepared;
  }

  /// Up to the first that fails.
  private static List<BegunAttachment> prepared(List<BegunAttachment> looked) {
    List<BegunAttachment> prepared = new ArrayList<>();
    for (BegunAttachment one : looked) {
      boolean isLeft = !prepared.isEmpty() && prepared.getLast().hasFailed();
      prepared.add(isLeft ? one : one.prepared());
    }
    return prepared;
  }

  /// Up to the first that fails.
  private List<BegunAttachment> begin(
      NetworkRuntime runtime, String containerId, String sign, Wish wish) {
    List<BegunAttachment> begun = new ArrayList<>();
    for (String name : wish.names()) {
      AttachmentArgs args =
          new AttachmentArgs(
              containerId,
              sign,
              "eth" + begun.size(),
              wish.args(),
              PublishedPort.capabilityArgs(wish.ports()));
      ConfigDirectory directory = new ConfigDirectory(wish.configDirectory(), recent);
      boolean isLast = begun.size() + 1 == wish.names().size();
      BegunAttachment one =
          BegunAttachment.begin(
              runtime,
              args,
              () -> {
                NetworkConfig network = directory.load(name);
                if (isLast) checkPublished(wish, begun, network);
                return network;
              });
      begun.add(one);
      if (one.hasFailed()) break;
    }
    return begun;
  }

  /// Plugins are given only what they declare, so nobody else would say that a port leads nowhere.
  private static void checkPublished(
      Wish wish, List<BegunAttachment> others, NetworkConfig network) {
    if (wish.ports().isEmpty() || PublishedPort.arePublishedBy(network)) return;
    for (BegunAttachment other : others) {
      NetworkConfig config = other.network();
      if (config != null && PublishedPort.arePublishedBy(config)) return;
    }
    throw new CniException(
        CniError.INVALID_CONFIG,
        "no plugin of "
            + String.join(",", wish.names())
            + " publishes ports: none has the capability portMappings, as portmap has");
  }

  @Override
  public void detachAtEnd(Known known, int init) {
    for (Known.Attachment one : known.attachments()) {
      PluginExecutor.BegunAdd first = one.first();
      if (first == null || one.network().plugins().size() > 1) continue;
      try {
        first.removeLinkAtEnd(OwnedDescriptor.open(kernel, new SignalCall.PidfdOpen(init)));
      } catch (KernelException e) {
        return; // it has ended already
      }
    }
  }

  private static NetworkConfig network(CachedAttachment cached) {
    return NetworkConfig.readList(
        "the cached configuration of " + cached.networkName(),
        cached.config().getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void detach(
      HelperKernel client,
      List<String> env,
      String containerId,
      List<String> pluginPath,
      String netns) {
    try (HelperCaller caller = new HelperCaller(kernel, client, env)) {
      detach(runtime(caller, client, env, pluginPath), containerId, netns);
    }
  }

  @Override
  public void detach(
      HelperKernel client, List<String> env, Known known, List<String> pluginPath, String netns) {
    List<RuntimeException> failures = new ArrayList<>();
    try (HelperCaller caller = new HelperCaller(kernel, client, env)) {
      NetworkRuntime runtime = runtime(caller, client, env, pluginPath);
      for (Known.Attachment one : known.attachments().reversed()) {
        detach(runtime, one, netns, failures);
      }
    }
    Undoing.throwFirst(failures);
  }

  @Override
  public void detachAny(
      HelperKernel client, List<String> env, String containerId, Wish wish, String netns) {
    List<RuntimeException> failures = new ArrayList<>();
    Set<String> ifnames = new HashSet<>();
    cache.attachments(containerId).forEach(cached -> ifnames.add(cached.args().ifname()));
    try (HelperCaller caller = new HelperCaller(kernel, client, env)) {
      NetworkRuntime runtime = runtime(caller, client, env, wish.pluginPath());
      try {
        detach(runtime, containerId, netns);
      } catch (RuntimeException e) {
        failures.add(e);
      }
      for (int i = 0; i < wish.names().size(); i++) {
        if (ifnames.contains("eth" + i)) continue;
        NetworkConfig network = configured(wish, wish.names().get(i));
        if (network == null) continue;
        try {
          runtime.del(
              network,
              new AttachmentArgs(containerId, netns, "eth" + i, List.of(), Json.JsonObject.EMPTY));
        } catch (RuntimeException e) {
          failures.add(e);
        }
      }
    }
    Undoing.throwFirst(failures);
  }

  private @Nullable NetworkConfig configured(Wish wish, String name) {
    try {
      return new ConfigDirectory(wish.configDirectory(), recent).load(name);
    } catch (CniException | SpecException e) {
      return null; // nobody can be asked any more
    }
  }

  private void detach(NetworkRuntime runtime, String containerId, String netns) {
    List<RuntimeException> failures = new ArrayList<>();
    for (CachedAttachment cached : cache.attachments(containerId).reversed()) {
      try {
        detach(runtime, new Known.Attachment(network(cached), cached, null), netns, failures);
      } catch (RuntimeException e) {
        failures.add(e);
      }
    }
    Undoing.throwFirst(failures);
  }

  /// By the path that the caller has of the namespace: another one may have that of ADD by now.
  private static void detach(
      NetworkRuntime runtime, Known.Attachment one, String netns, List<RuntimeException> failures) {
    try {
      runtime.del(one.network(), one.cached().args().in(netns), one.cached(), one.first());
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }

  private NetworkRuntime runtime(
      HelperCaller caller, HelperKernel client, List<String> env, List<String> pluginPath) {
    return new NetworkRuntime(
        new OwnOrProcess(
            plugin, ownHelper, caller, new ProcessExecutor(kernel, client, env, PLUGIN_MILLIS)),
        cache,
        pluginPath);
  }
}
