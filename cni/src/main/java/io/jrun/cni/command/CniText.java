package io.jrun.cni.command;

import io.jrun.cni.network.CachedAttachment;
import io.jrun.cni.network.ConfigDirectory;
import io.jrun.cni.network.ResultCache;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.cni.Interface;
import io.jrun.specs.cni.IpConfig;
import io.jrun.specs.cni.NetworkConfig;
import io.jrun.specs.cni.PluginConfig;
import io.jrun.specs.cni.Route;
import io.jrun.specs.cni.VersionInfo;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.json.SpecException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What `jrun cni` prints: JSON for programs, lines for people.
final class CniText {
  private CniText() {}

  static String result(CniResult result) {
    StringBuilder text = new StringBuilder();
    for (Interface one : result.interfaces()) {
      text.append("interface ").append(one.name());
      if (one.mac() != null) text.append("  ").append(one.mac());
      text.append(one.sandbox() == null ? "  on the host" : "  in " + one.sandbox()).append('\n');
    }
    for (IpConfig ip : result.ips()) {
      text.append("address   ").append(ip.address());
      if (ip.gateway() != null) text.append("  gateway ").append(ip.gateway());
      text.append('\n');
    }
    for (Route route : result.routes()) {
      text.append("route     ").append(route.dst());
      if (route.gw() != null) text.append("  via ").append(route.gw());
      text.append('\n');
    }
    for (String server : result.dns().nameservers()) {
      text.append("dns       ").append(server).append('\n');
    }
    return text.toString();
  }

  static String versions(Map<String, VersionInfo> versions, boolean isJson) {
    StringBuilder text = new StringBuilder();
    LinkedHashMap<String, Json> json = new LinkedHashMap<>();
    versions.forEach((type, info) -> {
      text.append(type)
          .append(": ")
          .append(String.join(", ", info.supportedVersions()))
          .append('\n');
      json.put(type, info.toJson());
    });
    return isJson ? new JsonObject(json).toText("    ") + "\n" : text.toString();
  }

  static String list(ConfigDirectory directory, ResultCache cache, boolean isJson) {
    Map<Path, String> refused = new LinkedHashMap<>();
    Map<String, NetworkConfig> networks = directory.all(refused);
    List<CachedAttachment> attachments = cache.attachments();
    if (isJson) return json(networks, refused, attachments) + "\n";
    StringBuilder text = new StringBuilder();
    networks.forEach((name, network) ->
        text.append("network   ")
            .append(name)
            .append("  ")
            .append(network.version())
            .append("  ")
            .append(types(network))
            .append('\n'));
    refused.forEach((file, why) -> text.append("refused   ").append(why).append('\n'));
    for (CachedAttachment one : attachments) {
      text.append("attached  ")
          .append(one.networkName())
          .append("  ")
          .append(one.args().containerId())
          .append("  ")
          .append(one.args().ifname())
          .append("  ")
          .append(String.join(", ", addresses(one)))
          .append('\n');
    }
    return text.toString();
  }

  private static String types(NetworkConfig network) {
    return String.join(" → ", network.plugins().stream().map(PluginConfig::type).toList());
  }

  /// What the cached result says; nothing where it makes no sense.
  private static List<String> addresses(CachedAttachment attachment) {
    try {
      return CniResult.read("the cached result", attachment.result(), CniVersion.V1_1_0)
          .ips()
          .stream()
          .map(IpConfig::address)
          .toList();
    } catch (SpecException e) {
      return List.of();
    }
  }

  private static String json(
      Map<String, NetworkConfig> networks,
      Map<Path, String> refused,
      List<CachedAttachment> attachments) {
    List<Json> listed = new ArrayList<>();
    networks.forEach((name, network) ->
        listed.add(
            JsonObject.EMPTY
                .with("name", Json.of(name))
                .with("cniVersion", Json.of(network.version().text()))
                .with(
                    "plugins",
                    Json.ofStrings(network.plugins().stream().map(PluginConfig::type).toList()))));
    List<Json> attached = new ArrayList<>();
    for (CachedAttachment one : attachments) {
      attached.add(
          JsonObject.EMPTY
              .with("network", Json.of(one.networkName()))
              .with("containerId", Json.of(one.args().containerId()))
              .with("ifName", Json.of(one.args().ifname()))
              .with("netns", Json.of(one.args().netns()))
              .with("addresses", Json.ofStrings(addresses(one))));
    }
    LinkedHashMap<String, String> problems = new LinkedHashMap<>();
    refused.forEach((file, why) -> problems.put(file.toString(), why));
    return JsonObject.EMPTY
        .with("networks", new Json.JsonArray(listed))
        .with("refused", Json.ofStrings(problems))
        .with("attachments", new Json.JsonArray(attached))
        .toText("    ");
  }
}
