package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.Mac;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.nftables.MacCheck;
import io.jrun.cni.nftables.Masquerade;
import io.jrun.cni.nftables.Nftables;
import io.jrun.cni.node.ClusterConfig;
import io.jrun.cni.node.Membership;
import io.jrun.cni.node.Mode;
import io.jrun.cni.node.NodeAgent;
import io.jrun.cni.node.NodeRoutes;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.policy.Endpoint;
import io.jrun.cni.policy.Policies;
import io.jrun.kernel.Kernel;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniNames;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.cni.Interface;
import io.jrun.specs.cni.IpConfig;
import io.jrun.specs.cni.VersionInfo;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The plugin. What it keeps between calls (read leases, the nftables context) it can lose.
public final class SimpleCni {
  public static final String NAME = "simplecni";

  private final Kernel kernel;
  private final Masquerade masquerade;
  private final LinkRemoval removal;
  private final RecentConfigs configs = new RecentConfigs();
  private final MacCheck macCheck;
  private final NetworkState state;

  public SimpleCni(Kernel kernel) {
    this.kernel = kernel;
    Nftables nftables = new Nftables();
    this.masquerade = new Masquerade(kernel, nftables);
    this.macCheck = new MacCheck(nftables);
    this.state = new NetworkState(kernel, nftables);
    this.removal = new LinkRemoval(kernel);
  }

  /// Performs one call and returns what the plugin prints.
  ///
  /// @throws CniException the error that the plugin prints
  public String perform(PluginCall call, byte[] stdin, Caller caller) {
    try {
      return switch (call.verb()) {
        case VERSION -> version(stdin).toJson().toText();
        case ADD -> new Call(call, stdin, caller).add();
        case DEL -> new Call(call, stdin, caller).delete();
        case CHECK -> new Call(call, stdin, caller).check();
        case GC -> new Call(call, stdin, caller).gc();
        case STATUS -> new Call(call, stdin, caller).status();
      };
    } catch (SpecException e) {
      throw new CniException(CniError.DECODING_FAILURE, String.valueOf(e.getMessage()).strip(), e);
    }
  }

  /// The version that the configuration asks by, or the newest.
  private static VersionInfo version(byte[] stdin) {
    String asked = CniVersion.V1_1_0.text();
    try {
      if (JsonReader.read("the configuration", stdin, JsonReader::object).member("cniVersion")
          instanceof Json.JsonString(String text)) {
        asked = text;
      }
    } catch (SpecException e) {
      // the specification lets VERSION come with any input
    }
    return VersionInfo.all(asked);
  }

  /// One call in its configuration.
  private final class Call {
    private final PluginCall call;
    private final Caller caller;
    private final SimpleConfig config;
    private final Ipam ipam;
    private final Attachment holder;
    private final String link;
    private final @Nullable Membership membership;
    private final Policies policies;

    Call(PluginCall call, byte[] stdin, Caller caller) {
      this.call = call;
      this.caller = caller;
      String input = call.args() + '\n' + new String(stdin, StandardCharsets.UTF_8);
      this.config = configs.get(input, () -> SimpleConfig.read(stdin, call.args()));
      this.holder = Ipam.holder(call);
      checkNames();
      this.link = HostVeth.name(holder);
      this.membership = config.cluster() == null ? null : state.membership(config);
      this.policies = state.policies(config.policyDirectory());
      AddressConfig own = config.addresses();
      this.ipam =
          own == null
              ? new Ipam.Delegated(config, call, stdin, caller)
              : new OwnIpam(config, own, state.leases(own.directory()), call, membership);
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
      if (call.verb() == io.jrun.cni.plugin.Verb.CHECK) atLeast(CniVersion.V0_4_0);
    }

    private void atLeast(CniVersion needed) {
      if (config.version().atLeast(needed)) return;
      throw new CniException(
          CniError.INCOMPATIBLE_VERSION,
          "config version " + config.version() + " does not allow " + call.verb());
    }

    private String comment() {
      return config.name() + " " + link;
    }

    String add() {
      try (Sandbox sandbox = caller.enter(call.netns())) {
        BridgeSide bridgeSide = new BridgeSide(caller.host(), config, removal);
        Assignment assignment = ipam.add();
        boolean[] isAttached = new boolean[1];
        try {
          return add(sandbox, bridgeSide, assignment, isAttached);
        } catch (RuntimeException e) {
          if (isAttached[0]) {
            undo(e, () -> bridgeSide.detach(link));
            undo(e, () -> unmasquerade(assignment.addresses()));
            if (config.macSpoofCheck()) undo(e, () -> macCheck.remove(link::equals));
          }
          undo(e, () -> policies.detach(link));
          undo(e, ipam::delete); // last: whoever gets the address next must find nothing of ours
          throw e;
        }
      }
    }

    private void undo(RuntimeException cause, Runnable step) {
      try {
        step.run();
      } catch (RuntimeException e) {
        cause.addSuppressed(e);
      }
    }

    private String add(
        Sandbox sandbox, BridgeSide bridgeSide, Assignment assignment, boolean[] isAttached) {
      int mtu = config.mtu();
      if (config.cluster() != null && membership != null) {
        NodeRoutes routes = new NodeRoutes(caller.host(), config.cluster());
        if (config.cluster().mode() != Mode.STATIC) routes.sync(membership.nodes());
        if (mtu == 0) mtu = routes.mtu();
      }
      Link bridge = bridgeSide.bridge();
      forgetFormerHolders(assignment);
      policies.attach(endpoint(bridge, assignment));
      Mac mac = mac(assignment);
      if (config.macSpoofCheck()) macCheck.add(link, mac.text());
      Links.VethEnd inside = new Links.VethEnd(call.ifname(), mac, mtu);
      Link hostEnd = bridgeSide.attach(bridge, sandbox, link, inside, mac, assignment);
      isAttached[0] = true;
      sysctls(assignment);
      new PodSide(sandbox.socket(), call.ifname()).configure(hostEnd.peer(), assignment);
      if (config.isGateway()) new Forwarding(kernel).enable(assignment);
      if (config.ipMasq()) {
        for (Assignment.Address address : assignment.addresses()) {
          masquerade.add(address.cidr().address(), address.outside(), comment());
        }
      }
      return new CniResult(
              List.of(
                  new Interface(bridge.name(), bridge.mac(), null, bridge.mtu()),
                  new Interface(hostEnd.name(), hostEnd.mac(), null, hostEnd.mtu()),
                  new Interface(call.ifname(), mac.text(), call.netns(), hostEnd.mtu())),
              assignment.ips(2),
              assignment.routes(),
              assignment.dns(),
              Json.JsonObject.EMPTY)
          .toJson(config.version())
          .toText();
    }

    /// A container that ended without a DEL must not leave its labels to the next holder of its
    /// address.
    private void forgetFormerHolders(Assignment assignment) {
      if (ipam instanceof OwnIpam own) {
        own.store().reclaimed().forEach(gone -> policies.detach(HostVeth.name(gone.holder())));
      }
      // another process may have reclaimed the lease, and ended before it came to this
      policies.forget(
          config.name(), assignment.addresses().stream().map(a -> a.cidr().address()).toList());
    }

    private Endpoint endpoint(Link bridge, Assignment assignment) {
      return new Endpoint(
          config.name(),
          holder,
          assignment.addresses().stream().map(a -> a.cidr().address()).toList(),
          config.identity(),
          link,
          bridge.name(),
          config.isGateway());
    }

    private Mac mac(Assignment assignment) {
      Mac asked = config.mac();
      if (asked != null) return asked;
      return config.macFromIp()
          ? Mac.of(assignment.addresses().getFirst().cidr().address())
          : Mac.random();
    }

    /// Runtimes may make namespaces with IPv6 disabled.
    private void sysctls(Assignment assignment) {
      Map<String, String> values = new TreeMap<>();
      if (assignment.hasIpv6()) {
        values.put("net/ipv6/conf/" + call.ifname() + "/disable_ipv6", "0");
      }
      config
          .sysctls()
          .forEach((path, value) -> values.put(path.replace("IFNAME", call.ifname()), value));
      caller.sysctls(call.netns(), values);
    }

    String delete() {
      LinkRemoval.Removal removed = removal.begin(link);
      List<IpAddress> addresses = knownAddresses();
      List<RuntimeException> failures = new ArrayList<>();
      // What masquerades and what forbids goes after the link, as processes may still send; where
      // no namespace is named there are none, and it goes meanwhile.
      boolean maySend = !call.netns().isEmpty();
      if (maySend) attempt(failures, () -> removed.await(caller::host));
      if (config.ipMasq()) {
        attempt(
            failures,
            () -> {
              if (addresses.isEmpty()) {
                String comment = comment();
                unmasquerade(element -> element.comment().equals(comment));
              }
              addresses.forEach(masquerade::remove);
            });
      }
      if (config.macSpoofCheck()) attempt(failures, () -> macCheck.remove(link::equals));
      attempt(failures, () -> policies.detach(link));
      if (!maySend) attempt(failures, () -> removed.await(caller::host));
      // last: whoever gets the address next must find nothing of this container
      attempt(failures, ipam::delete);
      throwFirst(failures);
      return "";
    }

    /// From SimpleCNI's own leases, or from what the runtime remembers.
    private List<IpAddress> knownAddresses() {
      if (ipam instanceof OwnIpam own) return own.store().of(holder);
      CniResult previous = config.previous();
      if (previous == null) return List.of();
      return previous.ips().stream()
          .map(ip -> Cidr.parse(ip.address()).map(Cidr::address))
          .flatMap(Optional::stream)
          .toList();
    }

    String check() {
      CniResult previous = config.previous();
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
      try (Sandbox sandbox = caller.enter(call.netns())) {
        checkHost(caller.host());
        PodSide podSide = new PodSide(sandbox.socket(), call.ifname());
        Link found = podSide.link();
        if (inside.mac() != null && !inside.mac().equalsIgnoreCase(found.mac())) {
          throw new CniException(
              CniError.INTERNAL,
              call.ifname() + " has the address " + found.mac() + ", not " + inside.mac());
        }
        podSide.check(found, expected);
      }
      return "";
    }

    private void checkHost(NetlinkSocket host) {
      Link bridge =
          Links.find(host, config.bridge())
              .orElseThrow(() ->
                  new CniException(CniError.INTERNAL, "bridge " + config.bridge() + " is gone"));
      Link end =
          Links.find(host, link)
              .orElseThrow(
                  () -> new CniException(CniError.INTERNAL, "host interface " + link + " is gone"));
      if (end.master() != bridge.index() || !end.isUp()) {
        throw new CniException(
            CniError.INTERNAL, link + " is not an active port of " + bridge.name());
      }
    }

    String gc() {
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
      throwFirst(failures);
      return "";
    }

    /// The network's interfaces on the host that belong to no valid attachment.
    private void removeInvalid(Set<String> valid) {
      Set<String> gone = new HashSet<>();
      for (Link one : Links.all(caller.host())) {
        if (one.name().startsWith(HostVeth.PREFIX)
            && one.alias().equals(config.name())
            && !valid.contains(one.name())) {
          removal.remove(caller.host(), one.name());
          gone.add(one.name());
        }
      }
      if (config.macSpoofCheck()) macCheck.remove(gone::contains);
    }

    String status() {
      ipam.status();
      if (config.cluster() != null && membership != null) {
        checkNodes(config.cluster(), membership);
      }
      if (config.ipMasq()) {
        try {
          masquerade.elements();
        } catch (RuntimeException e) {
          throw new CniException(CniError.NOT_AVAILABLE, String.valueOf(e.getMessage()), e);
        }
      }
      return "";
    }
  }

  /// In static mode, STATUS tells which routes to other nodes are missing.
  private void checkNodes(ClusterConfig cluster, Membership membership) {
    if (cluster.mode() != Mode.STATIC) return;
    try (NetlinkSocket host = NetlinkSocket.open(kernel)) {
      List<String> missing = new NodeRoutes(host, cluster).sync(membership.nodes());
      if (missing.isEmpty()) return;
      throw new CniException(
          CniError.LIMITED_CONNECTIVITY, "missing: " + String.join("; ", missing));
    }
  }

  /// Keeps a network's routes to other nodes, and this node's place among them.
  public NodeAgent agent(byte[] configuration) {
    return state.agent(SimpleConfig.read(configuration, ""));
  }

  /// The policies that are kept there.
  public Policies policies(Path directory) {
    return state.policies(directory);
  }

  private void unmasquerade(List<Assignment.Address> addresses) {
    addresses.forEach(address -> masquerade.remove(address.cidr().address()));
  }

  private void unmasquerade(java.util.function.Predicate<Masquerade.Element> isGone) {
    masquerade.elements().stream()
        .filter(isGone)
        .map(Masquerade.Element::address)
        .forEach(masquerade::remove);
  }

  private static void attempt(List<RuntimeException> failures, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }

  private static void throwFirst(List<RuntimeException> failures) {
    if (failures.isEmpty()) return;
    RuntimeException first = failures.getFirst();
    failures.stream().skip(1).forEach(first::addSuppressed);
    throw first;
  }
}
