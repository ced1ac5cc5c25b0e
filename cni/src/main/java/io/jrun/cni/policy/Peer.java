package io.jrun.cni.policy;

import io.jrun.cni.address.Cidr;
import io.jrun.specs.json.JsonReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Whom a rule allows.
sealed interface Peer {
  /// Addresses, but for some of them.
  record Block(Cidr cidr, List<Cidr> except) implements Peer {
    public Block {
      except = List.copyOf(except);
    }

    static Block read(JsonReader r) {
      Cidr cidr = cidr(r, "cidr", r.string("cidr"));
      List<Cidr> except = new ArrayList<>();
      for (String text : r.strings("except")) {
        Cidr one = cidr(r, "except", text);
        if (one.length() <= cidr.length() || !cidr.contains(one.address())) {
          r.problem("except", text + " is not a part of " + cidr);
        }
        except.add(one);
      }
      Unknown.refuse(r, Set.of("except"));
      return new Block(cidr, except);
    }

    private static Cidr cidr(JsonReader r, String name, String text) {
      Optional<Cidr> cidr = Cidr.parse(text);
      if (cidr.isEmpty()) r.problem(name, "must be an address with a prefix, not \"" + text + "\"");
      return cidr.map(Cidr::network).orElse(Cidr.parse("0.0.0.0/0").orElseThrow());
    }
  }

  /// Containers by their labels, in the policy's namespace, or in those that a selector names.
  record Selected(@Nullable LabelSelector namespaces, LabelSelector pods) implements Peer {
    boolean matches(Identity identity, String ownNamespace, Namespaces known) {
      boolean isInNamespace =
          namespaces == null
              ? identity.namespace().equals(ownNamespace)
              : namespaces.matches(known.labels(identity.namespace()));
      return isInNamespace && pods.matches(identity.labels());
    }
  }

  static @Nullable Peer read(JsonReader r) {
    boolean hasBlock = LabelSelector.isGiven(r, "ipBlock");
    boolean hasPods = LabelSelector.isGiven(r, "podSelector");
    boolean hasNamespaces = LabelSelector.isGiven(r, "namespaceSelector");
    Block block = r.object("ipBlock", Block::read);
    LabelSelector pods = r.object("podSelector", LabelSelector::read);
    LabelSelector namespaces = r.object("namespaceSelector", LabelSelector::read);
    Unknown.refuse(r, Set.of("podSelector", "namespaceSelector"));
    if (hasBlock && (hasPods || hasNamespaces)) {
      r.problem("ipBlock", "cannot be combined with selectors in one peer");
    }
    if (!hasBlock && !hasPods && !hasNamespaces) {
      // Kubernetes refuses it too: it would not be clear whether all or nobody is meant
      r.problem("", "a peer needs ipBlock, podSelector or namespaceSelector");
      return null;
    }
    if (block != null) return block;
    return new Selected(namespaces, pods == null ? LabelSelector.all() : pods);
  }

  /// The labels of namespaces; each has its name as one.
  record Namespaces(Map<String, Map<String, String>> byName) {
    static final String NAME = "kubernetes.io/metadata.name";

    Map<String, String> labels(String namespace) {
      Map<String, String> labels =
          new java.util.HashMap<>(byName.getOrDefault(namespace, Map.of()));
      labels.put(NAME, namespace);
      return labels;
    }
  }
}
