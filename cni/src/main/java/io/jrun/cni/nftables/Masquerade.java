package io.jrun.cni.nftables;

import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Answer;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Errno;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Masquerading of containers' traffic that leaves their network.
///
/// A map from address to chain holds one element for each container, so neither a packet nor an ADD
/// pays for the others. The chains, one for each network, say what is outside of it.
///
/// ```
///   table inet simplecni {
///     map masq4 { type ipv4_addr : verdict
///                 elements = { 10.1.0.2 comment "net veth" : goto out_10_1_0_0_16 } }
///     chain out_10_1_0_0_16 { ip daddr != { 10.1.0.0/16, 224.0.0.0/4 } masquerade }
///     chain postrouting { type nat hook postrouting priority 100; ip saddr vmap @masq4 }
///   }
/// ```
public final class Masquerade {
  private static final String TABLE = "simplecni";
  private static final int MAX_COMMENT = 127;

  /// One container's address with the comment that tells whose it is.
  public record Element(IpAddress address, String comment) {}

  private final Nftables nftables;
  private final Elements elements;
  private final Set<Cidr> prepared = ConcurrentHashMap.newKeySet();

  public Masquerade(Kernel kernel, Nftables nftables) {
    this.nftables = nftables;
    this.elements = new Elements(kernel, TABLE);
  }

  private static JsonObject inTable() {
    return JsonObject.EMPTY.with("family", Json.of("inet")).with("table", Json.of(TABLE));
  }

  private static String map(boolean isIpv6) {
    return isIpv6 ? "masq6" : "masq4";
  }

  private static String chain(Cidr network) {
    return "out_" + network.toString().replaceAll("[^0-9a-f]", "_");
  }

  /// Masquerades what leaves the network from that address; one that is there already is replaced.
  public void add(IpAddress address, Cidr network, String comment) {
    Cidr outside = network.network();
    String text = comment.length() > MAX_COMMENT ? comment.substring(0, MAX_COMMENT) : comment;
    if (prepared.contains(outside)) {
      Answer answer = elements.addJump(map(address.isIpv6()), address, chain(outside), text);
      if (answer.succeeded()) return;
      // ENOENT: the table was flushed; otherwise the address is still mapped for a container that
      // ended without a DEL
      answer.orThrow(Errno.ENOENT, Errno.EEXIST, Errno.EBUSY);
    }
    nftables.run(setUp(outside));
    prepared.add(outside);
    remove(address);
    elements.addJump(map(address.isIpv6()), address, chain(outside), text).orThrow();
  }

  /// The table and everything that a network needs; what is there is put right.
  private static List<Json> setUp(Cidr outside) {
    List<Json> commands = new ArrayList<>();
    commands.add(
        Nftables.add(
            "table",
            JsonObject.EMPTY.with("family", Json.of("inet")).with("name", Json.of(TABLE))));
    JsonObject postrouting = inTable().with("name", Json.of("postrouting"));
    commands.add(
        Nftables.add(
            "chain",
            postrouting
                .with("type", Json.of("nat"))
                .with("hook", Json.of("postrouting"))
                .with("prio", Json.of(100))
                .with("policy", Json.of("accept"))));
    commands.add(Nftables.command("flush", "chain", postrouting));
    for (boolean six : new boolean[] {false, true}) {
      commands.add(
          Nftables.add(
              "map",
              inTable()
                  .with("name", Json.of(map(six)))
                  .with("type", Json.of(six ? "ipv6_addr" : "ipv4_addr"))
                  .with("map", Json.of("verdict"))));
      Json lookup =
          JsonObject.EMPTY.with(
              "vmap",
              JsonObject.EMPTY
                  .with("key", field(six, "saddr"))
                  .with("data", Json.of("@" + map(six))));
      commands.add(Nftables.add("rule", rule("postrouting", List.of(lookup))));
    }
    commands.addAll(chain(outside, chain(outside)));
    return commands;
  }

  private static List<Json> chain(Cidr outside, String name) {
    JsonObject chain = inTable().with("name", Json.of(name));
    Json multicast = prefix(outside.isIpv6() ? "ff00::" : "224.0.0.0", outside.isIpv6() ? 8 : 4);
    Json within = prefix(outside.address().toString(), outside.length());
    Json match =
        JsonObject.EMPTY.with(
            "match",
            JsonObject.EMPTY
                .with("op", Json.of("!="))
                .with("left", field(outside.isIpv6(), "daddr"))
                .with(
                    "right",
                    JsonObject.EMPTY.with("set", new Json.JsonArray(List.of(within, multicast)))));
    Json masquerade = JsonObject.EMPTY.with("masquerade", new Json.JsonNull());
    return List.of(
        Nftables.add("chain", chain),
        Nftables.command("flush", "chain", chain),
        Nftables.add("rule", rule(name, List.of(match, masquerade))));
  }

  private static JsonObject rule(String chain, List<Json> expressions) {
    return inTable().with("chain", Json.of(chain)).with("expr", new Json.JsonArray(expressions));
  }

  private static Json field(boolean six, String name) {
    return JsonObject.EMPTY.with(
        "payload",
        JsonObject.EMPTY
            .with("protocol", Json.of(six ? "ip6" : "ip"))
            .with("field", Json.of(name)));
  }

  private static Json prefix(String address, int length) {
    return JsonObject.EMPTY.with(
        "prefix", JsonObject.EMPTY.with("addr", Json.of(address)).with("len", Json.of(length)));
  }

  /// Ends the masquerading of an address; one that has none is as it should be.
  public void remove(IpAddress address) {
    elements.deleteJump(map(address.isIpv6()), address).orThrow(Errno.ENOENT);
  }

  /// All elements.
  public List<Element> elements() {
    List<Element> found = new ArrayList<>();
    for (boolean six : new boolean[] {false, true}) {
      Json command = Nftables.command("list", "map", inTable().with("name", Json.of(map(six))));
      try {
        for (Json object : nftables.list(command)) collect(object, found);
      } catch (NftablesException e) {
        if (!e.isNotFound()) throw e;
      }
    }
    return found;
  }

  private static void collect(Json listed, List<Element> into) {
    if (!(listed instanceof JsonObject outer)
        || !(outer.member("map") instanceof JsonObject map)
        || !(map.member("elem") instanceof Json.JsonArray(List<Json> elements))) return;
    for (Json element : elements) {
      if (element instanceof Json.JsonArray(List<Json> pair)
          && pair.getFirst() instanceof JsonObject key
          && key.member("elem") instanceof JsonObject elem
          && elem.member("val") instanceof Json.JsonString(String address)) {
        String comment = elem.member("comment") instanceof Json.JsonString(String c) ? c : "";
        IpAddress.parse(address).ifPresent(ip -> into.add(new Element(ip, comment)));
      }
    }
  }
}
