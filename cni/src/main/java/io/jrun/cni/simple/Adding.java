package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.Mac;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.node.Mode;
import io.jrun.cni.node.NodeRoutes;
import io.jrun.cni.policy.Endpoint;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Undoing;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.Interface;
import io.jrun.specs.json.Json;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// An ADD. It begins with looking. Its first part needs the host alone: the address, the bridge,
/// and what filters and masquerades, which so is there before a packet can pass. The second part
/// makes the pair.
final class Adding {
  private final Call call;
  private final BridgeSide bridgeSide;
  private final Optional<Link> found;
  private @Nullable Assignment assignment;
  private @Nullable Link bridge;
  private int mtu;
  private @Nullable Link attached;
  private @Nullable Mac inside;

  private Adding(Call call) {
    this.call = call;
    this.bridgeSide = new BridgeSide(call.caller().host(), call.config(), call.host().removal());
    this.found = bridgeSide.find();
    this.mtu = call.config().mtu();
  }

  /// Looks at the host, and changes nothing.
  static Adding begin(Call call) {
    return new Adding(call);
  }

  /// Does the first part; a failure undoes it.
  void prepare() {
    Assignment given = call.ipam().add();
    assignment = given;
    try {
      prepare(given);
    } catch (RuntimeException e) {
      undo(e);
      throw e;
    }
  }

  private void prepare(Assignment assignment) {
    SimpleConfig config = call.config();
    if (config.cluster() != null && call.membership() != null) {
      NodeRoutes routes = new NodeRoutes(call.caller().host(), config.cluster());
      if (config.cluster().mode() != Mode.STATIC) routes.sync(call.membership().nodes());
      if (mtu == 0) mtu = routes.mtu();
    }
    Link on = bridgeSide.bridge(found);
    bridge = on;
    forgetFormerHolders();
    call.policies().attach(endpoint(on));
    if (config.isGateway()) new Forwarding(call.host().kernel()).enable(assignment);
    if (config.ipMasq()) {
      for (Assignment.Address address : assignment.addresses()) {
        call.host().masquerade().add(address.cidr().address(), address.outside(), call.comment());
      }
    }
  }

  /// A container that ended without a DEL must not leave its labels to the next holder of its
  /// address.
  private void forgetFormerHolders() {
    if (call.ipam() instanceof OwnIpam own) {
      own.store().reclaimed().forEach(gone -> call.policies().detach(HostVeth.name(gone.holder())));
    }
    // another process may have reclaimed the lease, and ended before it came to this
    call.policies().forget(call.config().name(), addresses());
  }

  private Assignment assignment() {
    return Objects.requireNonNull(assignment);
  }

  private List<IpAddress> addresses() {
    return assignment().addresses().stream().map(a -> a.cidr().address()).toList();
  }

  private Endpoint endpoint(Link on) {
    return new Endpoint(
        call.config().name(),
        call.holder(),
        addresses(),
        call.config().identity(),
        call.link(),
        on.name(),
        call.config().isGateway());
  }

  /// Does the second part ahead of a process in the namespace; a failure undoes both.
  ///
  /// @return false where such a process is needed, as settings are the caller's to write
  boolean wire(NetworkNamespace namespace) {
    if (!sysctls().isEmpty()) return false;
    undoneIfFails(() -> connect(namespace, ""));
    return true;
  }

  /// Does the second part; a failure undoes both.
  CniResult finish(NetworkNamespace namespace, String netns) {
    undoneIfFails(() -> connect(namespace, netns));
    return result(netns);
  }

  /// The same where [#wire] may have done it, else in a namespace that is still to be entered.
  CniResult finish(Caller caller, String netns) {
    undoneIfFails(() -> {
      if (attached != null) return;
      try (NetworkNamespace namespace = caller.enter(netns)) {
        connect(namespace, netns);
      }
    });
    return result(netns);
  }

  private void undoneIfFails(Runnable part) {
    try {
      part.run();
    } catch (RuntimeException e) {
      undo(e);
      throw e;
    }
  }

  private void connect(NetworkNamespace namespace, String netns) {
    Link port = Objects.requireNonNull(bridge);
    Assignment assignment = assignment();
    String ifname = call.ifname();
    Mac mac = mac();
    inside = mac;
    if (call.config().macSpoofCheck()) call.host().macCheck().add(call.link(), mac.text());
    Links.VethEnd end = new Links.VethEnd(ifname, mac, mtu);
    call.host().removal().forget(call.link());
    Link hostEnd = bridgeSide.attach(port, namespace, call.link(), end, mac, assignment);
    attached = hostEnd;
    // runtimes may make namespaces with IPv6 disabled
    call.caller().sysctls(netns, sysctls());
    new PodSide(namespace.socket(), ifname).configure(hostEnd.peer(), assignment);
  }

  private CniResult result(String netns) {
    Link port = Objects.requireNonNull(bridge);
    Link hostEnd = Objects.requireNonNull(attached);
    Assignment assignment = assignment();
    String mac = Objects.requireNonNull(inside).text();
    return new CniResult(
        List.of(
            new Interface(port.name(), port.mac(), null, port.mtu()),
            new Interface(hostEnd.name(), hostEnd.mac(), null, hostEnd.mtu()),
            new Interface(call.ifname(), mac, netns, hostEnd.mtu())),
        assignment.ips(2),
        assignment.routes(),
        assignment.dns(),
        Json.JsonObject.EMPTY);
  }

  private Mac mac() {
    Mac asked = call.config().mac();
    if (asked != null) return asked;
    return call.config().macFromIp() ? Mac.of(addresses().getFirst()) : Mac.random();
  }

  private Map<String, String> sysctls() {
    Map<String, String> values = new TreeMap<>();
    if (assignment().hasIpv6()) {
      values.put("net/ipv6/conf/" + call.ifname() + "/disable_ipv6", "0");
    }
    call.config()
        .sysctls()
        .forEach((path, value) -> values.put(path.replace("IFNAME", call.ifname()), value));
    return values;
  }

  /// Takes the first part back, where there will be no second one.
  void abandon() {
    CniException failed =
        new CniException(CniError.INTERNAL, "an ADD that was begun could not be undone");
    undo(failed);
    if (failed.getSuppressed().length > 0) throw failed;
  }

  /// @param process a pidfd, which is closed at the end
  void removeLinkAtEnd(OwnedDescriptor process) {
    call.host().removal().atEnd(Objects.requireNonNull(attached), process);
  }

  /// Takes all of it back when the container's processes have ended.
  void delete() {
    call.delete(false);
  }

  private void undo(RuntimeException cause) {
    if (assignment == null) return;
    if (attached != null) Undoing.suppressing(cause, () -> bridgeSide.detach(call.link()));
    if (call.config().ipMasq()) {
      Undoing.suppressing(cause, () -> addresses().forEach(call.host().masquerade()::remove));
    }
    if (attached != null && call.config().macSpoofCheck()) {
      Undoing.suppressing(cause, () -> call.host().macCheck().remove(call.link()::equals));
    }
    Undoing.suppressing(cause, () -> call.policies().detach(call.link()));
    // last: whoever gets the address next must find nothing of ours
    Undoing.suppressing(cause, call.ipam()::delete);
  }
}
