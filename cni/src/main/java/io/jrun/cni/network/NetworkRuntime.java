package io.jrun.cni.network;

import io.jrun.cni.CniException;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.plugin.PluginExecutor;
import io.jrun.cni.plugin.PluginInput;
import io.jrun.cni.plugin.Verb;
import io.jrun.kernel.LockFile;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.cni.NetworkConfig;
import io.jrun.specs.cni.PluginConfig;
import io.jrun.specs.cni.VersionInfo;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.SpecException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Runs the plugins of networks, as libcni does: ADD in their order, each with the result of the
/// one before; DEL in reverse with the cached result.
public final class NetworkRuntime {
  private final PluginExecutor executor;
  private final ResultCache cache;
  private final List<String> path;

  /// @param path the directories of plugins
  public NetworkRuntime(PluginExecutor executor, ResultCache cache, List<String> path) {
    this.executor = executor;
    this.cache = cache;
    this.path = List.copyOf(path);
  }

  /// What an ADD had for a result, and what is cached of it.
  ///
  /// @param first the first plugin, where it is this process
  public record Added(
      CniResult result, CachedAttachment cached, PluginExecutor.@Nullable BegunAdd first) {}

  /// Adds the container to the network; after a failure the caller DELs.
  public CniResult add(NetworkConfig network, AttachmentArgs args) {
    Begun begun = begin(network, args);
    begun.prepare();
    return begun.finish(args.netns()).result();
  }

  /// Begins to add a container that may have no network namespace yet, and changes nothing. Until
  /// it is finished or abandoned GC is kept away.
  ///
  /// @param args their namespace is a path that is there for as long as the container
  public Begun begin(NetworkConfig network, AttachmentArgs args) {
    args.check();
    LockFile lock = cache.lockShared();
    try {
      PluginConfig first = network.plugins().getFirst();
      Optional<PluginExecutor.BegunAdd> begun =
          told(
              first,
              Verb.ADD,
              () ->
                  executor.begin(
                      first.type(),
                      call(Verb.ADD, args),
                      new PluginInput(configuration(network, first, args))));
      return new Begun(network, args, lock, begun);
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /// An ADD that was begun.
  public final class Begun {
    private final NetworkConfig network;
    private final AttachmentArgs args;
    private final LockFile lock;
    private final Optional<PluginExecutor.BegunAdd> first;
    private boolean isWired;

    private Begun(
        NetworkConfig network,
        AttachmentArgs args,
        LockFile lock,
        Optional<PluginExecutor.BegunAdd> first) {
      this.network = network;
      this.args = args;
      this.lock = lock;
      this.first = first;
    }

    /// Does of the first plugin's ADD what needs no network namespace; a failure undoes that.
    public void prepare() {
      first.ifPresent(add -> step(add::prepare));
    }

    /// Does more of it, in a namespace where no process needs to be yet; a failure undoes all.
    public void wire(NetworkNamespace namespace) {
      first.ifPresent(add -> step(() -> isWired = add.wire(namespace)));
    }

    private void step(Runnable step) {
      try {
        told(network.plugins().getFirst(), Verb.ADD, step);
      } catch (RuntimeException e) {
        lock.close();
        throw e;
      }
    }

    /// Whether the interface is there, made by nobody of the container's caller.
    public boolean isWired() {
      return isWired;
    }

    /// Whether [#finish] goes nowhere.
    public boolean isAllWired() {
      return isWired && network.plugins().size() == 1;
    }

    /// Whether the first plugin is this process, and still has to go into the namespace.
    public boolean enters() {
      return first.isPresent() && !isWired;
    }

    /// Whether a plugin of the network is not this process.
    public boolean hasOthers() {
      return first.isEmpty() || network.plugins().size() > 1;
    }

    /// Adds the container, whose namespace is there; after a failure the caller DELs.
    public Added finish(String netns) {
      AttachmentArgs there = args.in(netns);
      try (lock) {
        CniResult result = CniResult.EMPTY;
        Json.@Nullable JsonObject previous = null;
        for (PluginConfig plugin : network.plugins()) {
          Json.@Nullable JsonObject before = previous;
          result =
              told(
                  plugin,
                  Verb.ADD,
                  () ->
                      before == null && first.isPresent()
                          ? first.get().finish(netns)
                          : add(plugin, there, before));
          previous = result.toJson(network.version());
        }
        CachedAttachment cached =
            new CachedAttachment(
                network.name(),
                network.source(),
                there,
                previous == null ? Json.JsonObject.EMPTY : previous);
        cache.add(cached);
        return new Added(result, cached, first.orElse(null));
      }
    }

    private CniResult add(
        PluginConfig plugin, AttachmentArgs there, Json.@Nullable JsonObject before) {
      return executor.add(
          plugin.type(),
          call(Verb.ADD, there),
          new PluginInput(configuration(network, plugin, there), () -> before),
          network.version());
    }

    /// Takes back what was done of an ADD that will not be finished.
    public void abandon() {
      try (lock) {
        first.ifPresent(PluginExecutor.BegunAdd::abandon);
      }
    }
  }

  /// Removes the container from the network. An error keeps the cached result for the next try.
  public void del(NetworkConfig network, AttachmentArgs args) {
    args.check();
    try (LockFile lock = cache.lockShared()) {
      delLocked(network, args);
    }
  }

  /// The same, of what the caller has read from the cache before, or has added itself.
  ///
  /// @param args without a namespace where all processes of the container have ended
  /// @param first by which the first plugin did its ADD, where the caller knows that
  public void del(
      NetworkConfig network,
      AttachmentArgs args,
      CachedAttachment known,
      PluginExecutor.@Nullable BegunAdd first) {
    args.check();
    try (LockFile lock = cache.lockShared()) {
      delLocked(network, args, Optional.of(known), args.netns().isEmpty() ? first : null);
    }
  }

  private void delLocked(NetworkConfig network, AttachmentArgs args) {
    Optional<CachedAttachment> cached = Optional.empty();
    try {
      cached = cache.find(network.name(), args);
    } catch (SpecException e) {
      cache.remove(network.name(), args); // unreadable: plugins must do without it, as for libcni
    }
    delLocked(network, args, cached, null);
  }

  private void delLocked(
      NetworkConfig network,
      AttachmentArgs args,
      Optional<CachedAttachment> cached,
      PluginExecutor.@Nullable BegunAdd first) {
    boolean isTold = network.version().atLeast(CniVersion.V0_4_0);
    AttachmentArgs remembered = remembered(args, cached);
    for (PluginConfig plugin : network.plugins().reversed()) {
      if (first != null && plugin == network.plugins().getFirst()) {
        told(plugin, Verb.DEL, first::delete);
        continue;
      }
      Json.JsonObject config = configuration(network, plugin, remembered);
      // most of our own need it not
      PluginInput input =
          new PluginInput(config, () -> isTold ? result(network, cached).orElse(null) : null);
      execute(plugin, call(Verb.DEL, remembered), input);
    }
    cache.remove(network.name(), args);
  }

  private static Optional<Json.JsonObject> result(
      NetworkConfig network, Optional<CachedAttachment> cached) {
    return cached
        .map(CachedAttachment::result)
        .filter(json -> !json.isEmpty())
        .map(json ->
            CniResult.read("the cached result", json, network.version()).toJson(network.version()));
  }

  /// The arguments that ADD was given, where the caller gives none: portmap removes nothing of
  /// which it is not told.
  private static AttachmentArgs remembered(AttachmentArgs args, Optional<CachedAttachment> cached) {
    if (cached.isEmpty()) return args;
    AttachmentArgs before = cached.get().args();
    return new AttachmentArgs(
        args.containerId(),
        args.netns(),
        args.ifname(),
        args.args().isEmpty() ? before.args() : args.args(),
        args.capabilityArgs().isEmpty() ? before.capabilityArgs() : args.capabilityArgs());
  }

  /// Asks every plugin whether all is as its ADD left it.
  public void check(NetworkConfig network, AttachmentArgs args) {
    args.check();
    if (!network.version().atLeast(CniVersion.V0_4_0)) {
      throw new CniException(
          CniError.INCOMPATIBLE_VERSION,
          "configuration version " + network.version() + " does not support CHECK");
    }
    if (network.disableCheck()) return;
    Optional<CachedAttachment> cached = cache.find(network.name(), args);
    Optional<Json.JsonObject> previous = result(network, cached);
    if (previous.isEmpty()) {
      throw new CniException(
          CniError.UNKNOWN_CONTAINER,
          "no cached result of "
              + args.containerId()
              + " "
              + args.ifname()
              + " on network "
              + network.name());
    }
    AttachmentArgs remembered = remembered(args, cached);
    for (PluginConfig plugin : network.plugins()) {
      Json.JsonObject config = configuration(network, plugin, remembered);
      execute(plugin, call(Verb.CHECK, remembered), new PluginInput(config, previous::get));
    }
  }

  /// Removes what belongs to no attachment of the list, going on after errors.
  public void gc(NetworkConfig network, Set<Attachment> valid) {
    if (network.disableGc()) return;
    List<RuntimeException> failures = new ArrayList<>();
    try (LockFile lock = cache.lockExclusive()) {
      for (CachedAttachment cached : cache.attachments()) {
        AttachmentArgs args = cached.args();
        if (!cached.networkName().equals(network.name())
            || valid.contains(new Attachment(args.containerId(), args.ifname()))) continue;
        attempt(failures, () -> delLocked(network, args));
      }
      if (network.version().atLeast(CniVersion.V1_1_0)) {
        Json list = new Json.JsonArray(valid.stream().<Json>map(Attachment::toJson).toList());
        // the second name is what the first plugins to know GC read
        for (PluginConfig plugin : network.plugins()) {
          Json.JsonObject config =
              configuration(network, plugin)
                  .with("cni.dev/valid-attachments", list)
                  .with("cni.dev/attachments", list);
          attempt(failures, () -> execute(plugin, call(Verb.GC), new PluginInput(config)));
        }
      }
    }
    if (failures.isEmpty()) return;
    RuntimeException first = failures.getFirst();
    failures.stream().skip(1).forEach(first::addSuppressed);
    throw first;
  }

  private static void attempt(List<RuntimeException> failures, Runnable action) {
    try {
      action.run();
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }

  /// Asks every plugin whether it could ADD; before 1.1.0 there is nothing to ask.
  public void status(NetworkConfig network) {
    if (!network.version().atLeast(CniVersion.V1_1_0)) return;
    for (PluginConfig plugin : network.plugins()) {
      execute(plugin, call(Verb.STATUS), new PluginInput(configuration(network, plugin)));
    }
  }

  /// What versions each plugin speaks.
  public Map<String, VersionInfo> versions(NetworkConfig network) {
    Map<String, VersionInfo> versions = new LinkedHashMap<>();
    for (PluginConfig plugin : network.plugins()) {
      byte[] out =
          execute(plugin, call(Verb.VERSION), new PluginInput(configuration(network, plugin)));
      versions.put(plugin.type(), VersionInfo.read(out));
    }
    return versions;
  }

  private PluginCall call(Verb verb) {
    return new PluginCall(verb, "", "", "", "", path);
  }

  private PluginCall call(Verb verb, AttachmentArgs args) {
    return new PluginCall(
        verb, args.containerId(), args.netns(), args.ifname(), args.argsText(), path);
  }

  private byte[] execute(PluginConfig plugin, PluginCall call, PluginInput input) {
    return told(plugin, call.verb(), () -> executor.execute(plugin.type(), call, input));
  }

  /// A failure says which plugin's it is.
  private static void told(PluginConfig plugin, Verb verb, Runnable action) {
    Supplier<Boolean> performed =
        () -> {
          action.run();
          return true;
        };
    told(plugin, verb, performed);
  }

  private static <T> T told(PluginConfig plugin, Verb verb, Supplier<T> action) {
    try {
      return action.get();
    } catch (CniException e) {
      throw e.in("plugin type=\"" + plugin.type() + "\" failed (" + verb.word() + ")");
    }
  }

  /// The plugin's own members with the network's name and version.
  private static Json.JsonObject configuration(NetworkConfig network, PluginConfig plugin) {
    return plugin
        .json()
        .with("name", Json.of(network.name()))
        .with("cniVersion", Json.of(network.version().text()));
  }

  /// The same, with the arguments of the plugin's capabilities.
  private static Json.JsonObject configuration(
      NetworkConfig network, PluginConfig plugin, AttachmentArgs args) {
    LinkedHashMap<String, Json> runtimeConfig = new LinkedHashMap<>();
    for (String capability : plugin.capabilities()) {
      Json value = args.capabilityArgs().member(capability);
      if (value != null) runtimeConfig.put(capability, value);
    }
    Json.JsonObject config = configuration(network, plugin);
    return runtimeConfig.isEmpty()
        ? config
        : config.with("runtimeConfig", new Json.JsonObject(runtimeConfig));
  }
}
