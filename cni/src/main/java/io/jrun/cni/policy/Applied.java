package io.jrun.cni.policy;

import io.jrun.cni.CniException;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A document that is applied, of a known kind.
sealed interface Applied {
  String title();

  record OfPolicy(NetworkPolicy policy) implements Applied {
    @Override
    public String title() {
      return "networkpolicy.networking.k8s.io/" + policy.name();
    }
  }

  record OfNamespace(NamespaceLabels labels, Json.JsonObject json) implements Applied {
    @Override
    public String title() {
      return "namespace/" + labels.name();
    }
  }

  /// The documents of a file.
  ///
  /// @param namespace as [Policies#apply] takes it
  static List<Applied> parse(String source, String text, @Nullable String namespace) {
    List<Applied> parsed = new ArrayList<>();
    List<Json> documents = Documents.parse(source, text);
    for (int i = 0; i < documents.size(); i++) {
      String place = documents.size() == 1 ? source : source + ": document " + (i + 1);
      parse(place, documents.get(i), namespace, parsed);
    }
    if (parsed.isEmpty()) {
      throw new CniException(CniError.DECODING_FAILURE, source + ": no documents");
    }
    return parsed;
  }

  private static void parse(
      String source, Json document, @Nullable String namespace, List<Applied> into) {
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
          into.add(new Applied.OfPolicy(policy));
        }
        case NamespaceLabels.KIND ->
            into.add(
                new Applied.OfNamespace(
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

  /// Takes it in among the policies.
  ///
  /// @return what that has changed, as a user is told
  default String mergeInto(List<NetworkPolicy> policies) {
    if (!(this instanceof OfPolicy(NetworkPolicy policy))) return "configured";
    for (int i = 0; i < policies.size(); i++) {
      if (!policies.get(i).title().equals(policy.title())) continue;
      boolean isSame = policies.get(i).json().equals(policy.json());
      policies.set(i, policy);
      return isSame ? "unchanged" : "configured";
    }
    policies.add(policy);
    return "created";
  }
}
