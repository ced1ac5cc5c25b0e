package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.nftables.Masquerade;
import io.jrun.cni.node.ClusterConfig;
import io.jrun.cni.node.Membership;
import io.jrun.cni.node.Mode;
import io.jrun.cni.node.NodeRoutes;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.plugin.PluginInput;
import io.jrun.cni.plugin.Verb;
import io.jrun.cni.policy.Policies;
import io.jrun.kernel.Undoing;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniNames;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.cni.Interface;
import io.jrun.specs.cni.IpConfig;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.SpecException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// One call in its configuration.
final class Call {
  private final Host host;
  private final SimpleConfig config;
  private final PluginCall call;
  private final PluginInput input;
  private final Caller caller;
  private final Ipam ipam;
  private final Attachment holder;
  private final String link;
  private final @Nullable Membership membership;
  private final Policies policies;

  Call(Host host, SimpleConfig config, PluginCall call, PluginInput input, Caller caller) {
    this.host = host;
    this.config = config;
    this.call = call;
    this.input = input;
    this.caller = caller;
    this.holder = Ipam.holder(call);
    checkNames();
    this.link = HostVeth.name(holder);
    this.membership = config.cluster() == null ? null : host.state().membership(config);
    this.policies = host.state().policies(config.policyDirectory());
    AddressConfig own = config.addresses();
    this.ipam =
        own == null
            ? new Ipam.Delegated(config, call, input, caller)
            : new OwnIpam(
                host.kernel(), config, own, host.state().leases(own.directory()), call, membership);
  }

  Host host() {
    return host;
  }

  Caller caller() {
    return caller;
  }

  SimpleConfig config() {
    return config;
  }

  Ipam ipam() {
    return ipam;
  }

  Attachment holder() {
    return holder;
  }

  /// The name of the pair's end on the host.
  String link() {
    return link;
  }

  String ifname() {
    return call.ifname();
  }

  @Nullable Membership membership() {
    return membership;
  }

  Policies policies() {
    return policies;
  }

  /// Of what is masqueraded for the container.
  String comment() {
    return config.name() + " " + link;
  }

  /// The result of the attachment's ADD, as far as the runtime says it.
  @Nullable CniResult previous() {
    Json.JsonObject json = input.previous().get();
    if (json == null) return null;
    try {
      return CniResult.read("prevResult", json, config.version());
    } catch (SpecException e) {
      throw new CniException(CniError.INVALID_CONFIG, String.valueOf(e.getMessage()).strip(), e);
    }
  }

  /// Returns what the plugin prints.
  String perform() {
    switch (call.verb()) {
      case ADD -> {
        return add().toJson(config.version()).toText();
      }
      case DEL -> delete(!call.netns().isEmpty());
      case CHECK -> check();
      case GC -> gc();
      case STATUS -> status();
      case VERSION -> throw new IllegalStateException();
    }
    return "";
  }

  CniResult add() {
    try (NetworkNamespace namespace = caller.enter(call.netns())) {
      Adding adding = Adding.begin(this);
      adding.prepare();
      return adding.finish(namespace, call.netns());
    }
  }

  private void checkNames() {
    switch (call.verb()) {
      case ADD, DEL, CHECK -> {
        if (!CniNames.isName(call.containerId())) {
          throw new CniException(
              CniError.INVALID_ENVIRONMENT,
              "invalid CNI_CONTAINERID \"" + call.containerId() + "\"");
        }
        if (!CniNames.isInterface(call.ifname())) {
          throw new CniException(
              CniError.INVALID_ENVIRONMENT, "invalid CNI_IFNAME \"" + call.ifname() + "\"");
        }
      }
      case GC, STATUS -> atLeast(CniVersion.V1_1_0);
      case VERSION -> throw new IllegalStateException();
    }
    if (call.verb() == Verb.CHECK) atLeast(CniVersion.V0_4_0);
  }

  private void atLeast(CniVersion needed) {
    if (config.version().atLeast(needed)) return;
    throw new CniException(
        CniError.INCOMPATIBLE_VERSION,
        "config version " + config.version() + " does not allow " + call.verb());
  }

  /// What masquerades and what forbids goes after the link where processes may still send; else it
  /// goes meanwhile.
  ///
  /// @param maySend where no namespace is named there are no processes
  void delete(boolean maySend) {
    LinkRemoval.Removal removed = host.removal().begin(link);
    List<IpAddress> addresses = knownAddresses();
    List<RuntimeException> failures = new ArrayList<>();
    if (maySend) attempt(failures, () -> removed.await(caller::host));
    if (config.ipMasq()) {
      attempt(
          failures,
          () -> {
            if (addresses.isEmpty()) {
              String comment = comment();
              unmasquerade(element -> element.comment().equals(comment));
            }
            addresses.forEach(host.masquerade()::remove);
          });
    }
    if (config.macSpoofCheck()) attempt(failures, () -> host.macCheck().remove(link::equals));
    attempt(failures, () -> policies.detach(link));
    if (!maySend) attempt(failures, () -> removed.awaitUnlisted());
    // last: whoever gets the address next must find nothing of this container
    attempt(failures, ipam::delete);
    Undoing.throwFirst(failures);
  }

  /// From SimpleCNI's own leases, or from what the runtime remembers.
  private List<IpAddress> knownAddresses() {
    if (ipam instanceof OwnIpam own) return own.store().of(holder);
    CniResult previous = previous();
    if (previous == null) return List.of();
    return previous.ips().stream()
        .map(ip -> Cidr.parse(ip.address()).map(Cidr::address))
        .flatMap(Optional::stream)
        .toList();
  }

  private void check() {
    CniResult previous = previous();
    if (previous == null) {
      throw new CniException(CniError.INVALID_CONFIG, "CHECK needs a prevResult");
    }
    ipam.check();
    Interface inside =
        previous.interfaces().stream()
            .filter(i -> i.name().equals(call.ifname()) && i.sandbox() != null)
            .findFirst()
            .orElseThrow(() ->
                new CniException(
                    CniError.INVALID_CONFIG, "prevResult has no interface " + call.ifname()));
    int index = previous.interfaces().indexOf(inside);
    List<IpConfig> ips =
        previous.ips().stream()
            .filter(ip -> ip.interfaceIndex() == null || ip.interfaceIndex() == index)
            .toList();
    Assignment expected =
        Assignment.of(
            config,
            new CniResult(
                List.of(), ips, previous.routes(), previous.dns(), Json.JsonObject.EMPTY));
    try (NetworkNamespace namespace = caller.enter(call.netns())) {
      checkHost(caller.host());
      PodSide podSide = new PodSide(namespace.socket(), call.ifname());
      Link found = podSide.link();
      if (inside.mac() != null && !inside.mac().equalsIgnoreCase(found.mac())) {
        throw new CniException(
            CniError.INTERNAL,
            call.ifname() + " has the address " + found.mac() + ", not " + inside.mac());
      }
      podSide.check(found, expected);
    }
  }

  private void checkHost(NetlinkSocket socket) {
    Link bridge =
        Links.find(socket, config.bridge())
            .orElseThrow(() ->
                new CniException(CniError.INTERNAL, "bridge " + config.bridge() + " is gone"));
    Link end =
        Links.find(socket, link)
            .orElseThrow(
                () -> new CniException(CniError.INTERNAL, "host interface " + link + " is gone"));
    if (end.master() != bridge.index() || !end.isUp()) {
      throw new CniException(
          CniError.INTERNAL, link + " is not an active port of " + bridge.name());
    }
  }

  private void gc() {
    Set<String> valid = config.valid().stream().map(HostVeth::name).collect(Collectors.toSet());
    List<RuntimeException> failures = new ArrayList<>();
    attempt(failures, () -> removeInvalid(valid));
    attempt(
        failures,
        () ->
            unmasquerade(element -> {
              String prefix = config.name() + " ";
              return element.comment().startsWith(prefix)
                  && !valid.contains(element.comment().substring(prefix.length()));
            }));
    attempt(failures, () -> policies.retain(config.name(), valid));
    attempt(failures, ipam::gc);
    Undoing.throwFirst(failures);
  }

  /// The network's interfaces on the host that belong to no valid attachment.
  private void removeInvalid(Set<String> valid) {
    Set<String> gone = new HashSet<>();
    for (Link one : Links.all(caller.host())) {
      if (one.name().startsWith(HostVeth.PREFIX)
          && one.alias().equals(config.name())
          && !valid.contains(one.name())) {
        host.removal().remove(caller.host(), one.name());
        gone.add(one.name());
      }
    }
    if (config.macSpoofCheck()) host.macCheck().remove(gone::contains);
  }

  private void status() {
    ipam.status();
    if (config.cluster() != null && membership != null) {
      checkNodes(config.cluster(), membership);
    }
    if (config.ipMasq()) {
      try {
        host.masquerade().elements();
      } catch (RuntimeException e) {
        throw new CniException(CniError.NOT_AVAILABLE, String.valueOf(e.getMessage()), e);
      }
    }
  }

  /// In static mode, STATUS tells which routes to other nodes are missing.
  private void checkNodes(ClusterConfig cluster, Membership membership) {
    if (cluster.mode() != Mode.STATIC) return;
    try (NetlinkSocket own = NetlinkSocket.open(host.kernel())) {
      List<String> missing = new NodeRoutes(own, cluster).sync(membership.nodes());
      if (missing.isEmpty()) return;
      throw new CniException(
          CniError.LIMITED_CONNECTIVITY, "missing: " + String.join("; ", missing));
    }
  }

  private void unmasquerade(Predicate<Masquerade.Element> isGone) {
    host.masquerade().elements().stream()
        .filter(isGone)
        .map(Masquerade.Element::address)
        .forEach(host.masquerade()::remove);
  }

  private static void attempt(List<RuntimeException> failures, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }
}
