package io.jrun.cni.node;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.etcd.Change;
import io.jrun.cni.etcd.Condition;
import io.jrun.cni.etcd.Entry;
import io.jrun.cni.etcd.EtcdClient;
import io.jrun.cni.etcd.EtcdClients;
import io.jrun.cni.etcd.EtcdException;
import io.jrun.cni.etcd.Snapshot;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Nodes that take their subnets from the network's own by transactions in etcd, and keep them by a
/// lease.
///
/// ```
///   PREFIX/NETWORK/config                  {"subnet":"10.244.0.0/16","subnetLength":24}
///   PREFIX/NETWORK/nodes/a                 10.244.1.0-24                          with a's lease
///   PREFIX/NETWORK/subnets/10.244.1.0-24   {"name":"a","address":…,"subnet":…}    with a's lease
///   PREFIX/NETWORK/addresses/a/10.244.1.2  {"containerId":…,"ifname":…,…}         with a's lease
///
///   node a                                              etcd
///     | list subnets: a is not among them  ------------> |
///     | grant lease -----------------------------------> |
///     | if nodes/a and subnets/S do not exist: put both  |   else once more from the beginning
///     | … ADD: if subnets/S is unchanged: put address    |   else the subnet was lost
/// ```
///
/// Who writes a subnet's key without a lease reserves it for the node that it names.
final class EtcdMembership implements Membership {
  /// The code of a node whose subnet another one has taken meanwhile.
  static final int SUBNET_LOST = 100;

  private static final int RACES = 10;

  /// etcd takes 128 operations in one transaction unless told otherwise.
  private static final int MOST_CHANGES = 100;

  private final EtcdClients clients;
  private final NodePlace place;
  private final StoreConfig.InEtcd store;
  private @Nullable Joined joined;

  private record Joined(Node node, Entry entry, NodeList all, long revision) {}

  EtcdMembership(EtcdClients clients, NodePlace place, StoreConfig.InEtcd store) {
    this.clients = clients;
    this.place = place;
    this.store = store;
  }

  /// The beginning of all keys of the network.
  String prefix() {
    return store.etcd().prefix() + "/" + place.network() + "/";
  }

  String addresses() {
    return prefix() + "addresses/";
  }

  private String ownAddresses() {
    return addresses() + place.node() + "/";
  }

  private <T> T ask(Function<EtcdClient, T> question) {
    try {
      return clients.with(store.etcd(), question);
    } catch (EtcdException e) {
      throw new CniException(
          e.isRefusal() ? CniError.INVALID_CONFIG : CniError.TRY_AGAIN_LATER,
          String.valueOf(e.getMessage()),
          e);
    }
  }

  @Override
  public NodeList nodes() {
    return joined().all();
  }

  @Override
  public Node self() {
    return joined().node();
  }

  /// The revision at which the nodes were listed.
  long revision() {
    return joined().revision();
  }

  private Joined joined() {
    if (joined == null) joined = ask(this::join);
    return joined;
  }

  /// Asks again, and renews the lease.
  void refresh() {
    joined = ask(this::join);
  }

  private Joined join(EtcdClient client) {
    for (int race = 0; race < RACES; race++) {
      Snapshot snapshot = client.list(prefix() + "subnets/");
      NodeList all = read(snapshot);
      Optional<Joined> own = own(snapshot, all);
      if (own.isPresent()) {
        long lease = own.get().entry().lease();
        if (lease != 0 && !client.keepAlive(lease)) continue; // it ended a moment ago
        place.remember(own.get().node().subnet());
        return own.get();
      }
      agree(client);
      take(client, all);
    }
    throw new CniException(
        CniError.TRY_AGAIN_LATER, "too many nodes take subnets of " + place.cluster() + " at once");
  }

  private static NodeList read(Snapshot snapshot) {
    List<Node> nodes = new ArrayList<>();
    for (Entry entry : snapshot.entries()) nodes.add(node(entry));
    return new NodeList(nodes); // that none overlap is seen to by transactions
  }

  private static Node node(Entry entry) {
    try {
      return JsonReader.read(
          "etcd's " + entry.key(),
          entry.value().getBytes(java.nio.charset.StandardCharsets.UTF_8),
          Node::read);
    } catch (SpecException e) {
      throw new CniException(CniError.DECODING_FAILURE, String.valueOf(e.getMessage()).strip(), e);
    }
  }

  private Optional<Joined> own(Snapshot snapshot, NodeList all) {
    for (Entry entry : snapshot.entries()) {
      Node node = node(entry);
      if (!node.name().equals(place.node())) continue;
      if (!node.address().equals(address())) {
        throw new CniException(
            CniError.INVALID_CONFIG,
            "node "
                + node.name()
                + " is at "
                + node.address()
                + " and not at "
                + address()
                + ": it is another machine, or the key "
                + entry.key()
                + " must be deleted");
      }
      return Optional.of(new Joined(node, entry, all, snapshot.revision()));
    }
    return Optional.empty();
  }

  private IpAddress address() {
    return store.nodeAddress() == null ? place.defaultAddress() : store.nodeAddress();
  }

  private int length() {
    int length = store.subnetLength();
    return length != 0 ? length : place.cluster().isIpv6() ? 64 : 24;
  }

  /// The first node writes down what the network is; others must mean the same one, or subnets of
  /// different lengths would overlap.
  private void agree(EtcdClient client) {
    String own =
        Json.JsonObject.EMPTY
            .with("subnet", Json.of(place.cluster().toString()))
            .with("subnetLength", Json.of(length()))
            .toText();
    String key = prefix() + "config";
    if (client.commit(List.of(new Condition.Absent(key)), List.of(new Change.Put(key, own, 0)))) {
      return;
    }
    String other =
        client.list(key).entries().stream()
            .filter(entry -> entry.key().equals(key))
            .map(Entry::value)
            .findFirst()
            .orElse(own);
    if (!Json.parse(other).equals(Json.parse(own))) {
      throw new CniException(
          CniError.INVALID_CONFIG,
          "network " + place.network() + " is " + own + " here and " + other + " in etcd");
    }
  }

  private void take(EtcdClient client, NodeList all) {
    for (Node other : all.nodes()) {
      if (other.address().equals(address())) {
        throw new CniException(
            CniError.INVALID_CONFIG,
            "the address " + address() + " is that of node " + other.name());
      }
    }
    Cidr subnet = choose(all);
    Node node = new Node(place.node(), address(), subnet);
    String name = subnet.toString().replace('/', '-');
    String subnetKey = prefix() + "subnets/" + name;
    String nodeKey = prefix() + "nodes/" + place.node();
    long lease = client.grant(store.etcd().leaseSeconds());
    boolean isTaken = false;
    try {
      isTaken =
          client.commit(
              List.of(new Condition.Absent(subnetKey), new Condition.Absent(nodeKey)),
              List.of(
                  new Change.Put(subnetKey, node.toJson().toText(), lease),
                  new Change.Put(nodeKey, name, lease)));
    } finally {
      if (!isTaken) client.revoke(lease);
    }
  }

  /// The subnet that this node had, as its containers have addresses of it; else the first that
  /// nobody has.
  private Cidr choose(NodeList all) {
    Cidr before = place.remembered();
    if (before != null && fits(before)) {
      Optional<Node> taken =
          all.nodes().stream().filter(node -> node.subnet().overlaps(before)).findFirst();
      if (taken.isEmpty()) return before;
      if (place.held().stream().anyMatch(before::contains)) {
        throw new CniException(
            SUBNET_LOST,
            "subnet "
                + before
                + " of this node was taken by node "
                + taken.get().name()
                + " after its lease ended; it gets another one when its containers are gone");
      }
    }
    return Subnets.firstFree(
            place.cluster(), length(), all.nodes().stream().map(Node::subnet).toList())
        .orElseThrow(() ->
            new CniException(
                CniError.TRY_AGAIN_LATER,
                "no subnets of length " + length() + " left in " + place.cluster()));
  }

  private boolean fits(Cidr subnet) {
    return subnet.length() == length() && place.cluster().contains(subnet.address());
  }

  @Override
  public void claim(Map<IpAddress, Json.JsonObject> holders) {
    Joined own = joined();
    List<Change> changes = new ArrayList<>();
    holders.forEach((address, holder) -> {
      if (own.node().subnet().contains(address)) changes.add(put(address, holder, own));
    });
    if (changes.isEmpty() || ask(client -> client.commit(List.of(isStillOurs(own)), changes))) {
      return;
    }
    refresh();
    Joined now = joined();
    List<Change> again = new ArrayList<>();
    holders.forEach((address, holder) -> {
      if (now.node().subnet().contains(address)) again.add(put(address, holder, now));
    });
    if (again.size() != changes.size()
        || !ask(client -> client.commit(List.of(isStillOurs(now)), again))) {
      throw new CniException(
          CniError.TRY_AGAIN_LATER, "subnet " + own.node().subnet() + " is no longer this node's");
    }
  }

  private Change put(IpAddress address, Json.JsonObject holder, Joined own) {
    return new Change.Put(ownAddresses() + address, holder.toText(), own.entry().lease());
  }

  private static Condition isStillOurs(Joined own) {
    return new Condition.Unchanged(own.entry().key(), own.entry().modRevision());
  }

  @Override
  public void release(List<IpAddress> given) {
    if (given.isEmpty() || clients.isLost(store.etcd())) return;
    List<Change> changes = new ArrayList<>();
    for (IpAddress address : given) changes.add(new Change.Delete(ownAddresses() + address));
    try {
      clients.with(store.etcd(), client -> client.commit(List.of(), changes));
    } catch (EtcdException e) {
      // DEL must not depend on it: reconcile() finds the key later
    }
  }

  /// Brings what is written down of this node's addresses to what it has given: after an etcd was
  /// away, or a lease had ended.
  ///
  /// @param holders asked after etcd was, so that what it does not know any more is really free
  void reconcile(java.util.function.Supplier<Map<IpAddress, Json.JsonObject>> holders) {
    Joined own = joined();
    Map<String, Entry> written = new HashMap<>();
    for (Entry entry : ask(client -> client.list(ownAddresses())).entries()) {
      written.put(entry.key(), entry);
    }
    List<Change> changes = new ArrayList<>();
    holders
        .get()
        .forEach((address, holder) -> {
          if (!own.node().subnet().contains(address)) return;
          Entry before = written.remove(ownAddresses() + address);
          boolean isRight =
              before != null
                  && before.lease() == own.entry().lease()
                  && Json.parse(before.value()).equals(holder);
          if (!isRight) changes.add(put(address, holder, own));
        });
    written.keySet().forEach(key -> changes.add(new Change.Delete(key)));
    for (int at = 0; at < changes.size(); at += MOST_CHANGES) {
      List<Change> some = changes.subList(at, Math.min(changes.size(), at + MOST_CHANGES));
      ask(client -> client.commit(List.of(isStillOurs(own)), some));
    }
  }

  /// What other nodes have written down of their addresses.
  Map<IpAddress, Json.JsonObject> remote() {
    Map<IpAddress, Json.JsonObject> found = new HashMap<>();
    for (Entry entry : ask(client -> client.list(addresses())).entries()) {
      if (entry.key().startsWith(ownAddresses())) continue;
      String text = entry.key().substring(entry.key().lastIndexOf('/') + 1);
      Optional<IpAddress> address = IpAddress.parse(text);
      if (address.isPresent() && parsed(entry) instanceof Json.JsonObject holder) {
        found.put(address.get(), holder);
      }
    }
    return found;
  }

  private static Json parsed(Entry entry) {
    try {
      return Json.parse(entry.value());
    } catch (SpecException e) {
      return new Json.JsonNull(); // not written by jrun
    }
  }

  /// Tells the keys of the network that change after [#revision].
  AutoCloseable watch(java.util.function.Consumer<List<String>> changed, Runnable broken) {
    long from = revision() + 1;
    return ask(client -> client.watch(prefix(), from, changed, broken));
  }
}
