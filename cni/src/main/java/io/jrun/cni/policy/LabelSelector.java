package io.jrun.cni.policy;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Selects by labels: all of `matchLabels` and `matchExpressions` must hold; an empty one selects
/// everything.
record LabelSelector(Map<String, String> matchLabels, List<Expression> matchExpressions) {
  enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist
  }

  record Expression(String key, Operator operator, List<String> values) {
    Expression {
      values = List.copyOf(values);
    }

    static Expression read(JsonReader r) {
      String key = r.string("key");
      if (!IdentityConfig.isKey(key)) r.problem("key", "invalid label key \"" + key + "\"");
      Operator operator = r.enumeration("operator", Operator.values(), Operator::name);
      List<String> values = r.strings("values");
      boolean needsValues = operator == Operator.In || operator == Operator.NotIn;
      if (needsValues == values.isEmpty()) {
        r.problem("values", needsValues ? "is required" : "must not be given with " + operator);
      }
      Unknown.refuse(r);
      return new Expression(key, operator, values);
    }

    /// As Kubernetes has it, NotIn also holds where there is no such label.
    boolean matches(Map<String, String> labels) {
      String value = labels.get(key);
      return switch (operator) {
        case In -> value != null && values.contains(value);
        case NotIn -> value == null || !values.contains(value);
        case Exists -> value != null;
        case DoesNotExist -> value == null;
      };
    }
  }

  LabelSelector {
    matchLabels = Map.copyOf(matchLabels);
    matchExpressions = List.copyOf(matchExpressions);
  }

  static LabelSelector read(JsonReader r) {
    LabelSelector selector =
        new LabelSelector(
            r.stringMap("matchLabels"), r.objects("matchExpressions", Expression::read));
    selector
        .matchLabels()
        .forEach((key, value) -> {
          if (!IdentityConfig.isKey(key)) r.problem("matchLabels", "invalid key \"" + key + "\"");
          if (!IdentityConfig.isValue(value)) r.problem("matchLabels", "invalid \"" + value + "\"");
        });
    Unknown.refuse(r, Set.of("matchLabels", "matchExpressions"));
    return selector;
  }

  boolean matches(Map<String, String> labels) {
    return labels.entrySet().containsAll(matchLabels.entrySet())
        && matchExpressions.stream().allMatch(expression -> expression.matches(labels));
  }

  static LabelSelector all() {
    return new LabelSelector(Map.of(), List.of());
  }

  /// The member of that name where it is given at all: an empty object is not an absent one.
  static boolean isGiven(JsonReader r, String name) {
    return r.object().member(name) instanceof Json.JsonObject;
  }
}
