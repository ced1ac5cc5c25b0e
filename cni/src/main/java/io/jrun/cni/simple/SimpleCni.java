package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.ipam.LeaseStore;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.Mac;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.nftables.Masquerade;
import io.jrun.cni.nftables.Nftables;
import io.jrun.cni.node.ClusterConfig;
import io.jrun.cni.node.Mode;
import io.jrun.cni.node.NodeRoutes;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/// The plugin. What it keeps between calls (read leases, the nftables context) it can lose.
public final class SimpleCni {
  public static final String NAME = "simplecni";

  private final Kernel kernel;
  private final Masquerade masquerade;
  private final LinkRemoval removal;
  private final RecentConfigs configs = new RecentConfigs();
  private final Map<Path, LeaseStore> stores = new ConcurrentHashMap<>();

  public SimpleCni(Kernel kernel) {
    this.kernel = kernel;
    this.masquerade = new Masquerade(kernel, new Nftables());
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

    Call(PluginCall call, byte[] stdin, Caller caller) {
      this.call = call;
      this.caller = caller;
      String input = call.args() + '\n' + new String(stdin, StandardCharsets.UTF_8);
      this.config = configs.get(input, () -> SimpleConfig.read(stdin, call.args()));
      this.holder = Ipam.holder(call);
      checkNames();
      AddressConfig own = config.addresses();
      this.ipam =
          own == null
              ? new Ipam.Delegated(config, call, stdin, caller)
              : new OwnIpam(
                  config,
                  own,
                  stores.computeIfAbsent(own.directory(), d -> new LeaseStore(kernel, d)),
                  call);
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
      return config.name() + " " + HostVeth.name(holder);
    }

    String add() {
      try (Sandbox sandbox = caller.enter(call.netns())) {
        BridgeSide bridgeSide = new BridgeSide(caller.host(), config, removal);
        Assignment assignment = ipam.add();
        boolean[] isAttached = new boolean[1];
        try {
          return add(sandbox, bridgeSide, assignment, isAttached);
        } catch (RuntimeException e) {
          undo(e, ipam::delete);
          if (isAttached[0]) {
            undo(e, () -> bridgeSide.detach(HostVeth.name(holder)));
            undo(e, () -> unmasquerade(assignment.addresses()));
          }
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
      if (config.cluster() != null) {
        NodeRoutes routes = new NodeRoutes(caller.host(), config.cluster());
        if (config.cluster().mode() != Mode.STATIC) routes.sync();
        if (mtu == 0) mtu = routes.mtu();
      }
      Link bridge = bridgeSide.bridge();
      Mac mac = mac(assignment);
      Links.VethEnd inside = new Links.VethEnd(call.ifname(), mac, mtu);
      Link hostEnd =
          bridgeSide.attach(bridge, sandbox, HostVeth.name(holder), inside, mac, assignment);
      isAttached[0] = true;
      sysctls(assignment);
      new PodSide(sandbox.socket(), call.ifname()).configure(hostEnd.peer(), assignment);
      if (config.isGateway()) forward(assignment);
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

    private Mac mac(Assignment assignment) {
      Mac asked = config.mac();
      if (asked != null) return asked;
      return config.macFromIp()
          ? Mac.of(assignment.addresses().getFirst().cidr().address())
          : Mac.random();
    }

    /// Runtimes make namespaces without IPv6 where they do not know better.
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
      List<IpAddress> addresses = knownAddresses();
      List<RuntimeException> failures = new ArrayList<>();
      attempt(failures, ipam::delete);
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
      attempt(failures, () -> removal.remove(caller.host(), HostVeth.name(holder)));
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
        Link link = podSide.link();
        if (inside.mac() != null && !inside.mac().equalsIgnoreCase(link.mac())) {
          throw new CniException(
              CniError.INTERNAL,
              call.ifname() + " has the address " + link.mac() + ", not " + inside.mac());
        }
        podSide.check(link, expected);
      }
      return "";
    }

    private void checkHost(NetlinkSocket host) {
      Link bridge =
          Links.find(host, config.bridge())
              .orElseThrow(() ->
                  new CniException(CniError.INTERNAL, "bridge " + config.bridge() + " is gone"));
      String name = HostVeth.name(holder);
      Link end =
          Links.find(host, name)
              .orElseThrow(
                  () -> new CniException(CniError.INTERNAL, "host interface " + name + " is gone"));
      if (end.master() != bridge.index() || !end.isUp()) {
        throw new CniException(
            CniError.INTERNAL, name + " is not an active port of " + bridge.name());
      }
    }

    String gc() {
      Set<String> valid = config.valid().stream().map(HostVeth::name).collect(Collectors.toSet());
      List<RuntimeException> failures = new ArrayList<>();
      attempt(failures, ipam::gc);
      attempt(
          failures,
          () ->
              unmasquerade(element -> {
                String prefix = config.name() + " ";
                return element.comment().startsWith(prefix)
                    && !valid.contains(element.comment().substring(prefix.length()));
              }));
      attempt(failures, () -> removeInvalid(valid));
      throwFirst(failures);
      return "";
    }

    /// The network's interfaces on the host that belong to no valid attachment.
    private void removeInvalid(Set<String> valid) {
      for (Link link : Links.all(caller.host())) {
        if (link.name().startsWith(HostVeth.PREFIX)
            && link.alias().equals(config.name())
            && !valid.contains(link.name())) {
          removal.remove(caller.host(), link.name());
        }
      }
    }

    String status() {
      ipam.status();
      if (config.cluster() != null) checkNodes(config.cluster());
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
  private void checkNodes(ClusterConfig cluster) {
    if (cluster.mode() != Mode.STATIC) return;
    try (NetlinkSocket host = NetlinkSocket.open(kernel)) {
      List<String> missing = new NodeRoutes(host, cluster).sync();
      if (missing.isEmpty()) return;
      throw new CniException(
          CniError.LIMITED_CONNECTIVITY, "missing: " + String.join("; ", missing));
    }
  }

  /// Brings the routes to other nodes to what the configuration's list of nodes says; returns the
  /// commands that are left to somebody else.
  public List<String> syncNodes(byte[] configuration) {
    ClusterConfig cluster = SimpleConfig.read(configuration, "").cluster();
    if (cluster == null) {
      throw new CniException(CniError.INVALID_CONFIG, "the network has no mode across nodes");
    }
    try (NetlinkSocket host = NetlinkSocket.open(kernel)) {
      return new NodeRoutes(host, cluster).sync();
    }
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

  private void forward(Assignment assignment) {
    for (Assignment.Address address : assignment.addresses()) {
      String file =
          address.cidr().isIpv6()
              ? "/proc/sys/net/ipv6/conf/all/forwarding"
              : "/proc/sys/net/ipv4/ip_forward";
      int flags = FileCall.O_RDWR | FileCall.O_CLOEXEC;
      Descriptor opened = kernel.call(new FileCall.Openat(Descriptor.CWD, file, flags, 0, false));
      try (OwnedDescriptor owned = new OwnedDescriptor(kernel, opened)) {
        byte[] value = kernel.call(new FileCall.Read(owned.descriptor(), 2));
        if (value.length == 0 || value[0] == '0') {
          kernel.call(new FileCall.Write(owned.descriptor(), new byte[] {'1'}));
        }
      }
    }
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
