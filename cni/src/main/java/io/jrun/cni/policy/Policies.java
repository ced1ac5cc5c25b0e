package io.jrun.cni.policy;

import io.jrun.cni.CniException;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.nftables.Nftables;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.LockFile;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The policies of this machine: applying and showing them, and containers that come and go.
public final class Policies {
  /// Where they are unless the configuration or the command says otherwise.
  public static final Path DIRECTORY = Path.of("/var/lib/cni/simplecni-policy");

  private final PolicyStore store;
  private final PoliciesInForce inForce;

  public Policies(Kernel kernel, Nftables nftables, Path directory) {
    this.store = new PolicyStore(kernel, directory);
    this.inForce = new PoliciesInForce(kernel, nftables, store);
  }

  // ---- containers ----

  /// Notes a container's interface, and brings it into the sets before a packet can pass.
  public void attach(Endpoint endpoint) {
    store.add(endpoint);
    if (!store.isEnforced()) return;
    try (LockFile lock = store.lock()) {
      if (!store.isEnforced()) return; // the last policy has gone meanwhile
      store.noteHolder(endpoint);
      if (inForce.isIsolated(endpoint) && !endpoint.isRouted()) {
        throw unrouted("a policy", endpoint);
      }
      inForce.add(endpoint);
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
      boolean isOut = inForce.remove(endpoint.get());
      // last, so that an interrupted DEL finds it again with its address
      store.forgetHolder(endpoint.get());
      store.removeEndpoint(link);
      if (!isOut) inForce.restore();
    }
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
      inForce.restore();
    }
  }

  // ---- commands ----

  /// Adds or replaces what the documents of a file say: network policies and namespaces.
  ///
  /// @param namespace of policies that do not name one, where no other may be named; null for the
  ///   default one, where any may
  /// @return a line for each document
  public List<String> apply(String source, String text, @Nullable String namespace) {
    List<Applied> documents = Applied.parse(source, text, namespace);
    List<String> lines = new ArrayList<>();
    try (LockFile lock = store.lock()) {
      List<NetworkPolicy> policies = new ArrayList<>(store.policies());
      for (Applied one : documents) lines.add(one.title() + " " + one.mergeInto(policies));
      Map<String, Map<String, String>> namespaces = store.namespaces();
      for (Applied one : documents) {
        if (one instanceof Applied.OfNamespace(NamespaceLabels labels, _)) {
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
        inForce.change(policies, namespaces);
      } catch (RuntimeException e) {
        if (isFirst) {
          store.enforced(false);
          store.forgetHolders();
        }
        throw e;
      }
      for (Applied one : documents) {
        switch (one) {
          case Applied.OfPolicy(NetworkPolicy policy) -> store.add(policy);
          case Applied.OfNamespace(NamespaceLabels labels, Json.JsonObject json) ->
              store.addNamespace(labels.name(), json);
        }
      }
      store.changing(false);
    }
    return lines;
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
      inForce.change(store.policies(), rest);
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
      inForce.change(rest, store.namespaces());
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

  /// All policies, or those of one namespace.
  ///
  /// @param namespace empty for all
  public List<CountedPolicy> list(String namespace) {
    Map<String, PolicyTables.Count> counts = inForce.counts();
    List<Endpoint> endpoints = store.endpoints();
    return store.policies().stream()
        .filter(p -> namespace.isEmpty() || p.namespace().equals(namespace))
        .map(p -> CountedPolicy.of(p, counts, endpoints))
        .toList();
  }

  public CountedPolicy show(String namespace, String name) {
    return CountedPolicy.of(find(namespace, name), inForce.counts(), store.endpoints());
  }

  /// Every container that policies can be about.
  public List<Endpoint> endpoints() {
    return Stream.concat(store.endpoints().stream(), store.remote().stream()).toList();
  }
}
