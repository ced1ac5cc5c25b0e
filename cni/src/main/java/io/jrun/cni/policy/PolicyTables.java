package io.jrun.cni.policy;

import io.jrun.cni.netlink.Answer;
import io.jrun.cni.nftables.Elements;
import io.jrun.cni.nftables.Nft;
import io.jrun.cni.nftables.Nftables;
import io.jrun.cni.nftables.NftablesException;
import io.jrun.cni.nftables.SetElement;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Errno;
import io.jrun.specs.json.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Brings the kernel to a [Ruleset], all of it in one transaction.
final class PolicyTables {
  /// How much a counter has counted.
  record Count(long packets, long bytes) {}

  /// What is in a table by now.
  private record Present(
      Set<String> sets, Set<String> maps, Set<String> counters, Set<String> chains) {}

  private static final String TABLE = "simplecni";
  private static final int MOST_AT_ONCE = 512;

  private final Nftables nftables;
  private final Elements elements;

  PolicyTables(Kernel kernel, Nftables nftables) {
    this.nftables = nftables;
    this.elements = new Elements(kernel, TABLE);
  }

  /// Replaces every rule, and in every set what is in it; counters that are still wanted go on.
  void replace(Ruleset wanted) {
    List<Json> commands = new ArrayList<>();
    for (String family : List.of(Ruleset.INET, Ruleset.BRIDGE)) {
      commands.add(Nft.command("add", "table", Ruleset.table(family)));
    }
    for (Json.JsonObject chain : Ruleset.chains()) {
      commands.add(Nft.command("add", "chain", chain));
      commands.add(Nft.command("flush", "chain", bare(chain)));
    }
    for (NftSet set : wanted.sets()) {
      Json.JsonObject named = Ruleset.named(set.family(), set.name());
      commands.add(Nft.command("add", set.kind(), set.definition(named)));
      commands.add(Nft.command("flush", set.kind(), named));
    }
    commands.addAll(wanted.elements());
    for (String counter : wanted.counters()) {
      commands.add(Nft.command("add", "counter", Ruleset.named(Ruleset.INET, counter)));
    }
    for (Ruleset.Rule rule : wanted.rules()) commands.add(rule.command());
    for (String family : List.of(Ruleset.INET, Ruleset.BRIDGE)) {
      Present present = present(family);
      Set<String> names = new HashSet<>();
      for (NftSet set : wanted.sets()) if (set.family().equals(family)) names.add(set.name());
      drop(commands, family, "set", present.sets(), names);
      drop(commands, family, "map", present.maps(), names);
      drop(commands, family, "counter", present.counters(), new HashSet<>(wanted.counters()));
    }
    nftables.run(commands);
  }

  /// Takes everything of policies away; masquerading and address checks stay.
  void clear() {
    List<Json> commands = new ArrayList<>();
    for (String family : List.of(Ruleset.INET, Ruleset.BRIDGE)) {
      Present present = present(family);
      for (String chain : present.chains()) {
        commands.add(Nft.command("flush", "chain", Ruleset.named(family, chain)));
      }
      drop(commands, family, "chain", present.chains(), Set.of());
      drop(commands, family, "set", present.sets(), Set.of());
      drop(commands, family, "map", present.maps(), Set.of());
      drop(commands, family, "counter", present.counters(), Set.of());
    }
    if (!commands.isEmpty()) nftables.run(commands);
  }

  private static void drop(
      List<Json> commands, String family, String kind, Set<String> present, Set<String> wanted) {
    List<String> gone = new ArrayList<>(present);
    // a chain that jumps goes before the one it jumps to
    if (kind.equals("chain")) gone.sort(java.util.Comparator.comparing(PolicyTables::isJumpedTo));
    for (String name : gone) {
      if (!wanted.contains(name)) {
        commands.add(Nft.command("delete", kind, Ruleset.named(family, name)));
      }
    }
  }

  private static boolean isJumpedTo(String chain) {
    return !chain.equals("np_forward") && !chain.equals("np_prerouting");
  }

  private static Json.JsonObject bare(Json.JsonObject chain) {
    return Ruleset.named(text(chain, "family"), text(chain, "name"));
  }

  private static String text(Json.JsonObject object, String member) {
    return object.member(member) instanceof Json.JsonString(String text) ? text : "";
  }

  /// Adds elements to the sets that are there, or takes them away.
  ///
  /// @return whether all was there to be changed
  boolean change(List<SetElement> of, boolean isAdded) {
    // what a socket takes at once
    for (int at = 0; at < of.size(); at += MOST_AT_ONCE) {
      List<SetElement> some = of.subList(at, Math.min(of.size(), at + MOST_AT_ONCE));
      for (Answer answer : isAdded ? elements.add(some) : elements.delete(some)) {
        // somebody flushed the table, or a bridge was made again and has another address
        if (!answer.orThrow(Errno.ENOENT, Errno.EEXIST, Errno.EBUSY).succeeded()) return false;
      }
    }
    return true;
  }

  private Present present(String family) {
    Present present =
        new Present(new HashSet<>(), new HashSet<>(), new HashSet<>(), new HashSet<>());
    List<Json> listed;
    try {
      listed = nftables.list(Nft.command("list", "table", Ruleset.table(family)));
    } catch (NftablesException e) {
      if (e.isNotFound()) return present;
      throw e;
    }
    for (Json one : listed) {
      if (!(one instanceof Json.JsonObject object) || object.isEmpty()) continue;
      Map.Entry<String, Json> member = object.members().firstEntry();
      if (!(member.getValue() instanceof Json.JsonObject what)) continue;
      String name = text(what, "name");
      if (!name.startsWith(Ruleset.PREFIX)) continue;
      switch (member.getKey()) {
        case "set" -> present.sets().add(name);
        case "map" -> present.maps().add(name);
        case "counter" -> present.counters().add(name);
        case "chain" -> present.chains().add(name);
        default -> {
          // a rule; it goes with its chain
        }
      }
    }
    return present;
  }

  /// What has been counted, by the counter's name.
  Map<String, Count> counts() {
    Map<String, Count> counts = new HashMap<>();
    List<Json> listed;
    try {
      listed = nftables.list(Nft.command("list", "counters", Ruleset.table(Ruleset.INET)));
    } catch (NftablesException e) {
      if (e.isNotFound()) return counts;
      throw e;
    }
    for (Json one : listed) {
      if (one instanceof Json.JsonObject object
          && object.member("counter") instanceof Json.JsonObject counter
          && text(counter, "table").equals(TABLE)) {
        counts.put(
            text(counter, "name"), new Count(number(counter, "packets"), number(counter, "bytes")));
      }
    }
    return counts;
  }

  private static long number(Json.JsonObject object, String member) {
    return object.member(member) instanceof Json.JsonNumber(String literal)
        ? Long.parseLong(literal)
        : 0;
  }
}
