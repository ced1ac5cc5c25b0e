package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.netlink.Mac;
import io.jrun.cni.node.ClusterConfig;
import io.jrun.cni.node.StoreConfig;
import io.jrun.cni.policy.Identity;
import io.jrun.cni.policy.IdentityConfig;
import io.jrun.cni.policy.Policies;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniNames;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What SimpleCNI is told: the reference bridge's members, and its own.
///
/// @param mtu zero for the kernel's default
/// @param vlan zero for none
/// @param macFromIp whether the container's hardware address follows from its IP address, so that
///   no neighbour keeps an old one
/// @param sysctls by path; IFNAME in one stands for the interface
/// @param ipamType the plugin that gives addresses; null for SimpleCNI's own
/// @param addresses what its own are; of no meaning with `ipamType`
/// @param cluster what other nodes are; null for a network of one node
/// @param identity by what policies select the container
/// @param macSpoofCheck whether frames with a foreign hardware address are dropped
/// @param valid of GC, the attachments to keep
record SimpleConfig(
    CniVersion version,
    String name,
    String bridge,
    boolean isGateway,
    boolean isDefaultGateway,
    boolean forceAddress,
    boolean ipMasq,
    int mtu,
    boolean hairpin,
    boolean promisc,
    boolean portIsolation,
    int vlan,
    boolean macFromIp,
    @Nullable Mac mac,
    Map<String, String> sysctls,
    @Nullable String ipamType,
    @Nullable AddressConfig addresses,
    @Nullable ClusterConfig cluster,
    Identity identity,
    Path policyDirectory,
    boolean macSpoofCheck,
    Set<Attachment> valid) {
  private static final int MAX_VLAN = 4094;
  private static final int MIN_MTU = 68;
  private static final int MAX_MTU = 65535;
  private static final String DEFAULT_BRIDGE = "simplecni0";

  /// Reads the configuration of one call, without the result that comes with it.
  ///
  /// @throws CniException with the specification's codes
  static SimpleConfig read(Json.JsonObject json, String cniArgs) {
    CniVersion version = version(json);
    try {
      return JsonReader.read("the configuration", json, r -> read(r, version, cniArgs));
    } catch (SpecException e) {
      throw new CniException(CniError.INVALID_CONFIG, message(e), e);
    }
  }

  private static String message(SpecException e) {
    return String.valueOf(e.getMessage()).strip();
  }

  private static CniVersion version(Json.JsonObject json) {
    Json member = json.member("cniVersion");
    if (member == null || member.equals(Json.of(""))) return CniVersion.V0_1_0;
    if (member instanceof Json.JsonString(String text)) {
      Optional<CniVersion> version = CniVersion.parse(text).filter(CniVersion::isKnown);
      if (version.isPresent()) return version.get();
      throw new CniException(
          CniError.INCOMPATIBLE_VERSION,
          "incompatible CNI versions; config is \""
              + text
              + "\", plugin supports "
              + CniVersion.ALL);
    }
    throw new CniException(CniError.DECODING_FAILURE, "/cniVersion: must be a string");
  }

  private static SimpleConfig read(JsonReader r, CniVersion version, String cniArgs) {
    String name = r.string("name");
    if (r.object().member("name") instanceof Json.JsonString && !CniNames.isName(name)) {
      r.problem("name", "invalid network name \"" + name + "\"");
    }
    ClusterConfig cluster = ClusterConfig.read(r);
    String bridge = r.optionalString("bridge");
    if (bridge == null) bridge = DEFAULT_BRIDGE;
    if (!CniNames.isInterface(bridge))
      r.problem("bridge", "invalid interface name \"" + bridge + "\"");
    String ipamType = r.object("ipam", ipam -> ipam.optionalString("type"));
    boolean isOwn = ipamType == null;
    Boolean isGateway = r.optionalBool("isGateway");
    Boolean isDefaultGateway = r.optionalBool("isDefaultGateway");
    boolean defaultGateway = isDefaultGateway == null ? isOwn : isDefaultGateway;
    int mtu = bounded(r, "mtu", MIN_MTU, MAX_MTU);
    int vlan = bounded(r, "vlan", 1, MAX_VLAN);
    if (cluster != null && !isOwn) r.problem("mode", "needs SimpleCNI's own addresses");
    AddressConfig addresses = isOwn ? AddressConfig.read(r, name, cniArgs) : null;
    if (cluster != null
        && cluster.store() instanceof StoreConfig.InEtcd
        && addresses != null
        && addresses.cluster() == null) {
      r.problem("subnet", "is required by the store etcd");
    }
    r.object("prevResult", JsonReader::object); // one that is an object is not here
    String policyDirectory = r.optionalString("policyDir");
    return new SimpleConfig(
        version,
        name,
        bridge,
        defaultGateway || (isGateway == null ? isOwn : isGateway),
        defaultGateway,
        r.bool("forceAddress"),
        r.bool("ipMasq"),
        mtu,
        r.bool("hairpinMode"),
        r.bool("promiscMode"),
        r.bool("portIsolation"),
        vlan,
        !Boolean.FALSE.equals(r.optionalBool("macFromIP")),
        mac(r, cniArgs),
        sysctls(r),
        ipamType,
        addresses,
        cluster,
        IdentityConfig.read(r, key -> argument(cniArgs, key)),
        policyDirectory == null ? Policies.DIRECTORY : Path.of(policyDirectory),
        r.bool("macspoofchk"),
        valid(r));
  }

  private static int bounded(JsonReader r, String name, int min, int max) {
    int value = r.int32(name);
    if (value != 0 && (value < min || value > max)) {
      r.problem(name, "must be from " + min + " to " + max);
    }
    return value;
  }

  /// From the runtime's capability, or from `MAC=` of CNI_ARGS.
  private static @Nullable Mac mac(JsonReader r, String cniArgs) {
    String text = r.object("runtimeConfig", config -> config.optionalString("mac"));
    if (text == null) text = argument(cniArgs, "MAC");
    if (text == null) return null;
    Optional<Mac> mac = Mac.parse(text);
    if (mac.isEmpty()) r.problem("runtimeConfig", "invalid mac \"" + text + "\"");
    return mac.orElse(null);
  }

  /// The value of a key of CNI_ARGS; null for none.
  static @Nullable String argument(String cniArgs, String key) {
    for (String pair : cniArgs.split(";")) {
      if (pair.startsWith(key + "=")) return pair.substring(key.length() + 1);
    }
    return null;
  }

  /// Names with dots, or with slashes where a name has dots itself, as sysctl(8) reads them.
  private static Map<String, String> sysctls(JsonReader r) {
    Map<String, String> paths = new TreeMap<>();
    r.stringMap("sysctl")
        .forEach((name, value) -> {
          String path = name.indexOf('/') >= 0 ? name : name.replace('.', '/');
          if (!path.startsWith("net/") || List.of(path.split("/")).contains("..")) {
            r.problem("sysctl", "not of the network: " + name);
          }
          paths.put(path, value);
        });
    return paths;
  }

  private static Set<Attachment> valid(JsonReader r) {
    Set<Attachment> valid = new HashSet<>(r.objects("cni.dev/valid-attachments", Attachment::read));
    valid.addAll(r.objects("cni.dev/attachments", Attachment::read));
    return valid;
  }
}
