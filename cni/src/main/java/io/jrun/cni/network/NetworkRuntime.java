package io.jrun.cni.network;

import io.jrun.cni.CniException;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.plugin.PluginExecutor;
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
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
  public record Added(CniResult result, CachedAttachment cached) {}

  /// Adds the container to the network; after a failure the caller DELs.
  public CniResult add(NetworkConfig network, AttachmentArgs args) {
    return attach(network, args).result();
  }

  /// The same, with what [#del] will need.
  public Added attach(NetworkConfig network, AttachmentArgs args) {
    args.check();
    try (LockFile lock = cache.lockShared()) {
      CniResult result = CniResult.EMPTY;
      Json.@Nullable JsonObject previous = null;
      for (PluginConfig plugin : network.plugins()) {
        byte[] out = execute(Verb.ADD, network, plugin, args, previous, Map.of());
        result = read(network, plugin, out);
        previous = result.toJson(network.version());
      }
      CachedAttachment cached =
          new CachedAttachment(
              network.name(),
              network.source(),
              args,
              previous == null ? Json.JsonObject.EMPTY : previous);
      cache.add(cached);
      return new Added(result, cached);
    }
  }

  private static CniResult read(NetworkConfig network, PluginConfig plugin, byte[] out) {
    try {
      return CniResult.read("the result of " + plugin.type(), out, network.version());
    } catch (SpecException e) {
      throw new CniException(CniError.DECODING_FAILURE, String.valueOf(e.getMessage()).strip(), e);
    }
  }

  /// Removes the container from the network. An error keeps the cached result for the next try.
  public void del(NetworkConfig network, AttachmentArgs args) {
    args.check();
    try (LockFile lock = cache.lockShared()) {
      delLocked(network, args);
    }
  }

  /// The same, of what the caller has read from the cache before.
  public void del(NetworkConfig network, AttachmentArgs args, CachedAttachment known) {
    args.check();
    try (LockFile lock = cache.lockShared()) {
      delLocked(network, args, Optional.of(known));
    }
  }

  private void delLocked(NetworkConfig network, AttachmentArgs args) {
    Optional<CachedAttachment> cached = Optional.empty();
    try {
      cached = cache.find(network.name(), args);
    } catch (SpecException e) {
      cache.remove(network.name(), args); // unreadable: plugins must do without it, as for libcni
    }
    delLocked(network, args, cached);
  }

  private void delLocked(
      NetworkConfig network, AttachmentArgs args, Optional<CachedAttachment> cached) {
    Json.@Nullable JsonObject previous =
        network.version().atLeast(CniVersion.V0_4_0) ? result(network, cached).orElse(null) : null;
    AttachmentArgs remembered = remembered(args, cached);
    for (PluginConfig plugin : network.plugins().reversed()) {
      execute(Verb.DEL, network, plugin, remembered, previous, Map.of());
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
    for (PluginConfig plugin : network.plugins()) {
      execute(Verb.CHECK, network, plugin, remembered(args, cached), previous.get(), Map.of());
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
        Map<String, Json> more =
            Map.of("cni.dev/valid-attachments", list, "cni.dev/attachments", list);
        for (PluginConfig plugin : network.plugins()) {
          attempt(failures, () -> execute(Verb.GC, network, plugin, null, null, more));
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
      execute(Verb.STATUS, network, plugin, null, null, Map.of());
    }
  }

  /// What versions each plugin speaks.
  public Map<String, VersionInfo> versions(NetworkConfig network) {
    Map<String, VersionInfo> versions = new LinkedHashMap<>();
    for (PluginConfig plugin : network.plugins()) {
      byte[] out = execute(Verb.VERSION, network, plugin, null, null, Map.of());
      versions.put(plugin.type(), VersionInfo.read(out));
    }
    return versions;
  }

  private byte[] execute(
      Verb verb,
      NetworkConfig network,
      PluginConfig plugin,
      @Nullable AttachmentArgs args,
      Json.@Nullable JsonObject previous,
      Map<String, Json> more) {
    PluginCall call =
        args == null
            ? new PluginCall(verb, "", "", "", "", path)
            : new PluginCall(
                verb, args.containerId(), args.netns(), args.ifname(), args.argsText(), path);
    Json.JsonObject stdin =
        configuration(
            network, plugin, args == null ? Json.JsonObject.EMPTY : args.capabilityArgs());
    if (previous != null) stdin = stdin.with("prevResult", previous);
    for (Map.Entry<String, Json> member : more.entrySet()) {
      stdin = stdin.with(member.getKey(), member.getValue());
    }
    try {
      return executor.execute(plugin.type(), call, stdin.toText().getBytes(StandardCharsets.UTF_8));
    } catch (CniException e) {
      throw e.in("plugin type=\"" + plugin.type() + "\" failed (" + verb.word() + ")");
    }
  }

  /// The plugin's own members with the network's name and version, and the arguments of its
  /// capabilities.
  private static Json.JsonObject configuration(
      NetworkConfig network, PluginConfig plugin, Json.JsonObject capabilityArgs) {
    LinkedHashMap<String, Json> runtimeConfig = new LinkedHashMap<>();
    for (String capability : plugin.capabilities()) {
      Json value = capabilityArgs.member(capability);
      if (value != null) runtimeConfig.put(capability, value);
    }
    Json.JsonObject config =
        plugin
            .json()
            .with("name", Json.of(network.name()))
            .with("cniVersion", Json.of(network.version().text()));
    return runtimeConfig.isEmpty()
        ? config
        : config.with("runtimeConfig", new Json.JsonObject(runtimeConfig));
  }
}
