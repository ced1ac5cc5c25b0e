package io.jrun.cni.policy;

import io.jrun.cni.CniException;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.nftables.Nftables;
import io.jrun.cni.nftables.SetElement;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.LockFile;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The policies of this machine: applying and showing them, and containers that come and go.
public final class Policies {
  /// Where they are unless the configuration or the command says otherwise.
  public static final Path DIRECTORY = Path.of("/var/lib/cni/simplecni-policy");

  private final Kernel kernel;
  private final PolicyStore store;
  private final PolicyTables tables;
  private volatile @Nullable InForce inForce;

  public Policies(Kernel kernel, Nftables nftables, Path directory) {
    this.kernel = kernel;
    this.store = new PolicyStore(kernel, directory);
    this.tables = new PolicyTables(kernel, nftables);
  }

  // ---- containers ----

  /// Notes a container's interface, and brings it into the sets before a packet can pass.
  public void attach(Endpoint endpoint) {
    store.add(endpoint);
    if (!store.isEnforced()) return;
    try (LockFile lock = store.lock()) {
      if (!store.isEnforced()) return; // the last policy has gone meanwhile
      store.noteHolder(endpoint);
      InForce now = inForce();
      if (now.policies().isIsolated(endpoint) && !endpoint.isRouted()) {
        throw unrouted("a policy", endpoint);
      }
      if (store.isChanging() || !tables.change(elements(now, endpoint, true), true)) restore();
    }
  }

  /// Forgets a container's interface; one that is not known is as it should be.
  public void detach(String link) {
    if (!store.isEnforced()) {
      store.removeEndpoint(link);
      return;
    }
    try (LockFile lock = store.lock()) {
      Optional<Endpoint> endpoint = store.endpoint(link);
      if (endpoint.isEmpty()) {
        store.removeEndpoint(link);
        return;
      }
      boolean isOut =
          !store.isChanging() && tables.change(elements(inForce(), endpoint.get(), false), false);
      // last, so that an interrupted DEL finds it again with its address
      store.forgetHolder(endpoint.get());
      store.removeEndpoint(link);
      if (!isOut) restore();
    }
  }

  /// @param isNew whether its bridge may be new, too
  private List<SetElement> elements(InForce now, Endpoint endpoint, boolean isNew) {
    Placement placement = new Placement(now.policies(), now.namespaces());
    List<SetElement> elements = new ArrayList<>();
    bridges(
        Set.of(endpoint.bridge()),
        (name, mac) -> {
          placement.bridge(name, mac);
          if (isNew) elements.add(Placement.ofBridge(name));
        });
    elements.addAll(placement.of(endpoint));
    return elements;
  }

  /// Forgets a network's interfaces but for those of these links.
  public void retain(String network, Set<String> links) {
    for (Endpoint endpoint : store.endpoints()) {
      if (endpoint.network().equals(network) && !links.contains(endpoint.link())) {
        detach(endpoint.link());
      }
    }
  }

  /// Forgets whoever of a network is known to have one of these addresses, where that matters now;
  /// else it is seen when a policy comes.
  public void forget(String network, List<IpAddress> addresses) {
    if (!store.isEnforced()) return;
    if (!store.knowsHolders()) {
      try (LockFile lock = store.lock()) {
        store.noteHolders();
      }
    }
    for (IpAddress address : addresses) {
      String link = store.holder(network, address);
      if (!link.isEmpty()) detach(link);
    }
  }

  public Optional<Endpoint> endpoint(String link) {
    return store.endpoint(link);
  }

  /// Takes over what other nodes tell of a network's containers there.
  public void remote(String network, List<Endpoint> endpoints) {
    if (!store.remote(network, endpoints) || !store.isEnforced()) return;
    try (LockFile lock = store.lock()) {
      restore();
    }
  }

  // ---- rules ----

  /// The policies of a generation.
  private record InForce(String generation, PolicyIndex policies, Peer.Namespaces namespaces) {}

  /// As the files say; the caller holds the lock.
  private InForce inForce() {
    String generation = store.generation();
    InForce known = inForce;
    if (known == null || !known.generation().equals(generation)) {
      known =
          new InForce(
              generation,
              PolicyIndex.of(store.policies()),
              new Peer.Namespaces(store.namespaces()));
      inForce = known;
    }
    return known;
  }

  /// Brings the kernel to what the files say; the caller holds the lock.
  private void restore() {
    inForce = null; // an apply that was cut off may have changed files
    replace(store.policies(), new Peer.Namespaces(store.namespaces()));
    store.changing(false);
  }

  private void replace(List<NetworkPolicy> policies, Peer.Namespaces namespaces) {
    if (policies.isEmpty()) {
      tables.clear();
      return;
    }
    Ruleset all = new Ruleset(policies, namespaces);
    Set<String> names = new TreeSet<>();
    List<Endpoint> local = withoutFormerHolders(store.endpoints());
    for (Endpoint endpoint : local) if (endpoint.isRouted()) names.add(endpoint.bridge());
    bridges(names, all::bridge);
    local.forEach(all::place);
    store.remote().forEach(all::place);
    tables.replace(all);
  }

  /// A container that ended without a DEL has no interface any more, and somebody else may have its
  /// address. One without an interface and alone with its address is an ADD that is under way.
  private List<Endpoint> withoutFormerHolders(List<Endpoint> all) {
    Set<String> links = new TreeSet<>();
    try (NetlinkSocket host = NetlinkSocket.open(kernel)) {
      Links.all(host).forEach(link -> links.add(link.name()));
    }
    Set<String> present = new TreeSet<>();
    for (Endpoint one : all) {
      if (links.contains(one.link())) one.addresses().forEach(a -> present.add(key(one, a)));
    }
    return all.stream()
        .filter(one ->
            links.contains(one.link())
                || one.addresses().stream().noneMatch(a -> present.contains(key(one, a))))
        .toList();
  }

  private static String key(Endpoint endpoint, IpAddress address) {
    return endpoint.network() + " " + address;
  }

  /// @param told gets the name and the hardware address of each that is there
  private void bridges(Set<String> names, BiConsumer<String, String> told) {
    try (NetlinkSocket host = NetlinkSocket.open(kernel)) {
      for (String name : names) {
        Links.find(host, name).ifPresent(link -> told.accept(name, link.mac()));
      }
    }
  }

  // ---- commands ----

  /// Adds or replaces what the documents of a file say: network policies and namespaces.
  ///
  /// @param namespace of policies that do not name one, where no other may be named; null for the
  ///   default one, where any may
  /// @return a line for each document
  public List<String> apply(String source, String text, @Nullable String namespace) {
    List<Parsed> parsed = new ArrayList<>();
    List<Json> documents = Documents.parse(source, text);
    for (int i = 0; i < documents.size(); i++) {
      String place = documents.size() == 1 ? source : source + ": document " + (i + 1);
      parse(place, documents.get(i), namespace, parsed);
    }
    if (parsed.isEmpty()) {
      throw new CniException(CniError.DECODING_FAILURE, source + ": no documents");
    }
    List<String> lines = new ArrayList<>();
    try (LockFile lock = store.lock()) {
      List<NetworkPolicy> policies = new ArrayList<>(store.policies());
      for (Parsed one : parsed) lines.add(one.title() + " " + merge(one, policies));
      Map<String, Map<String, String>> namespaces = store.namespaces();
      for (Parsed one : parsed) {
        if (one instanceof Parsed.OfNamespace(NamespaceLabels labels, _)) {
          namespaces.put(labels.name(), labels.labels());
        }
      }
      boolean wasEnforced = store.isEnforced();
      // from here on an ADD that is under way puts its container into the sets, or is seen below
      boolean isFirst = !policies.isEmpty() && !wasEnforced;
      if (isFirst) store.enforced(true);
      try {
        if (isFirst) store.noteHolders();
        refuseUnrouted(policies);
        change(policies, namespaces);
      } catch (RuntimeException e) {
        if (isFirst) {
          store.enforced(false);
          store.forgetHolders();
        }
        throw e;
      }
      for (Parsed one : parsed) {
        switch (one) {
          case Parsed.OfPolicy(NetworkPolicy policy) -> store.add(policy);
          case Parsed.OfNamespace(NamespaceLabels labels, Json.JsonObject json) ->
              store.addNamespace(labels.name(), json);
        }
      }
      store.changing(false);
    }
    return lines;
  }

  /// Changes the kernel's rules. Until [PolicyStore#changing] says that the files have followed,
  /// the next who comes brings the rules back to the files.
  private void change(List<NetworkPolicy> policies, Map<String, Map<String, String>> namespaces) {
    boolean wasChanging = store.isChanging();
    store.changing(true);
    store.renewGeneration();
    try {
      replace(policies, new Peer.Namespaces(namespaces));
    } catch (RuntimeException e) {
      if (!wasChanging) store.changing(false);
      throw e;
    }
  }

  /// A policy is refused if a container that it would isolate is not routed, as such a container is
  /// refused on ADD.
  private void refuseUnrouted(List<NetworkPolicy> policies) {
    for (Endpoint endpoint : store.endpoints()) {
      if (endpoint.isRouted()) continue;
      for (NetworkPolicy policy : policies) {
        if (policy.selects(endpoint.identity())) throw unrouted(policy.title(), endpoint);
      }
    }
  }

  private static CniException unrouted(String policy, Endpoint endpoint) {
    return new CniException(
        CniError.INVALID_CONFIG,
        policy
            + " isolates "
            + endpoint.holder().containerId()
            + ", which needs a bridge that is its gateway (isGateway)");
  }

  /// A document of a known kind.
  private sealed interface Parsed {
    String title();

    record OfPolicy(NetworkPolicy policy) implements Parsed {
      @Override
      public String title() {
        return "networkpolicy.networking.k8s.io/" + policy.name();
      }
    }

    record OfNamespace(NamespaceLabels labels, Json.JsonObject json) implements Parsed {
      @Override
      public String title() {
        return "namespace/" + labels.name();
      }
    }
  }

  private static void parse(
      String source, Json document, @Nullable String namespace, List<Parsed> into) {
    if (!(document instanceof Json.JsonObject object)) {
      throw new CniException(CniError.DECODING_FAILURE, source + ": a document is no object");
    }
    String kind = object.member("kind") instanceof Json.JsonString(String text) ? text : "";
    try {
      switch (kind) {
        case NetworkPolicy.KIND -> {
          String usual = namespace == null ? Identity.DEFAULT_NAMESPACE : namespace;
          NetworkPolicy policy = JsonReader.read(source, object, r -> NetworkPolicy.read(r, usual));
          if (namespace != null && !policy.namespace().equals(namespace)) {
            throw new CniException(
                CniError.INVALID_ENVIRONMENT,
                source
                    + ": /metadata/namespace: "
                    + policy.namespace()
                    + " does not match the namespace asked, "
                    + namespace);
          }
          into.add(new Parsed.OfPolicy(policy));
        }
        case NamespaceLabels.KIND ->
            into.add(
                new Parsed.OfNamespace(
                    JsonReader.read(source, object, NamespaceLabels::read), object));
        case "List", "NetworkPolicyList" -> {
          if (!(object.member("items") instanceof Json.JsonArray(List<Json> items))) {
            throw new CniException(
                CniError.DECODING_FAILURE, source + ": /items: must be an array");
          }
          for (int i = 0; i < items.size(); i++) {
            parse(source + ": /items/" + i, items.get(i), namespace, into);
          }
        }
        default ->
            throw new CniException(
                CniError.INVALID_CONFIG,
                source + ": kind \"" + kind + "\" is neither NetworkPolicy nor Namespace");
      }
    } catch (SpecException e) {
      throw new CniException(CniError.INVALID_CONFIG, String.valueOf(e.getMessage()).strip(), e);
    }
  }

  private static String merge(Parsed one, List<NetworkPolicy> policies) {
    if (!(one instanceof Parsed.OfPolicy(NetworkPolicy policy))) return "configured";
    for (int i = 0; i < policies.size(); i++) {
      if (!policies.get(i).title().equals(policy.title())) continue;
      boolean isSame = policies.get(i).json().equals(policy.json());
      policies.set(i, policy);
      return isSame ? "unchanged" : "configured";
    }
    policies.add(policy);
    return "created";
  }

  /// Forgets what was applied of a namespace: it has no labels but its name then.
  ///
  /// @return what is to be told
  public String deleteNamespace(String name) {
    try (LockFile lock = store.lock()) {
      Map<String, Map<String, String>> rest = store.namespaces();
      if (rest.remove(name) == null) {
        throw new CniException(
            CniError.INVALID_ENVIRONMENT, "namespace \"" + name + "\" not found");
      }
      change(store.policies(), rest);
      store.removeNamespace(name);
      store.changing(false);
    }
    return "namespace \"" + name + "\" deleted";
  }

  /// @return what is to be told
  public String delete(String namespace, String name) {
    try (LockFile lock = store.lock()) {
      find(namespace, name);
      List<NetworkPolicy> rest =
          store.policies().stream()
              .filter(p -> !p.namespace().equals(namespace) || !p.name().equals(name))
              .toList();
      change(rest, store.namespaces());
      store.removePolicy(namespace, name);
      store.changing(false);
      if (rest.isEmpty()) {
        store.enforced(false);
        store.forgetHolders();
      }
    }
    return "networkpolicy.networking.k8s.io \"" + name + "\" deleted";
  }

  private NetworkPolicy find(String namespace, String name) {
    return store.policies().stream()
        .filter(p -> p.namespace().equals(namespace) && p.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new CniException(
                CniError.INVALID_ENVIRONMENT,
                "network policy \"" + name + "\" not found in namespace " + namespace));
  }

  /// A policy with what has been counted.
  ///
  /// @param selected how many containers of this machine it selects
  /// @param rules each with its count, in the file's order, then what was denied in each direction
  public record Shown(
      String namespace, String name, Json.JsonObject json, int selected, List<Counted> rules) {
    public Shown {
      rules = List.copyOf(rules);
    }
  }

  /// @param text such as `ingress 0`, or `ingress denied`
  public record Counted(String text, long packets, long bytes) {}

  /// All policies, or those of one namespace.
  ///
  /// @param namespace empty for all
  public List<Shown> list(String namespace) {
    Map<String, PolicyTables.Count> counts = tables.counts();
    List<Endpoint> endpoints = store.endpoints();
    return store.policies().stream()
        .filter(p -> namespace.isEmpty() || p.namespace().equals(namespace))
        .map(p -> shown(p, counts, endpoints))
        .toList();
  }

  public Shown show(String namespace, String name) {
    return shown(find(namespace, name), tables.counts(), store.endpoints());
  }

  private static Shown shown(
      NetworkPolicy policy, Map<String, PolicyTables.Count> counts, List<Endpoint> endpoints) {
    List<Counted> rules = new ArrayList<>();
    for (boolean isIngress : new boolean[] {true, false}) {
      if (isIngress ? !policy.isOfIngress() : !policy.isOfEgress()) continue;
      String direction = isIngress ? "ingress " : "egress ";
      int count = (isIngress ? policy.ingress() : policy.egress()).size();
      for (int i = 0; i < count; i++) {
        rules.add(counted(direction + i, counts, Ruleset.counter(policy, isIngress, i)));
      }
      rules.add(counted(direction + "denied", counts, Ruleset.deniedCounter(policy, isIngress)));
    }
    int selected = (int) endpoints.stream().filter(e -> policy.selects(e.identity())).count();
    return new Shown(policy.namespace(), policy.name(), policy.json(), selected, rules);
  }

  private static Counted counted(
      String text, Map<String, PolicyTables.Count> counts, String counter) {
    PolicyTables.Count count = counts.getOrDefault(counter, new PolicyTables.Count(0, 0));
    return new Counted(text, count.packets(), count.bytes());
  }

  /// Every container that policies can be about.
  public List<Endpoint> endpoints() {
    return Stream.concat(store.endpoints().stream(), store.remote().stream()).toList();
  }
}
