package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.plugin.Verb;
import io.jrun.specs.cni.CniError;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The environment that a plugin is called with.
final class PluginEnvironment {
  private static final String COMMAND = "CNI_COMMAND";

  private final Map<String, String> variables = new HashMap<>();

  PluginEnvironment(List<String> env) {
    for (String variable : env) {
      int equals = variable.indexOf('=');
      if (variable.startsWith("CNI_") && equals > 0) {
        variables.put(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
  }

  private String value(String name) {
    return variables.getOrDefault(name, "");
  }

  /// Whether there is a command at all: who starts a plugin by hand gives none.
  boolean isCall() {
    return !value(COMMAND).isEmpty();
  }

  Optional<Verb> verb() {
    for (Verb verb : Verb.values()) {
      if (verb.name().equals(value(COMMAND))) return Optional.of(verb);
    }
    return Optional.empty();
  }

  /// The call, or an error that lists what is missing.
  PluginCall call() {
    Verb verb =
        verb()
            .orElseThrow(() ->
                new CniException(
                    CniError.INVALID_ENVIRONMENT, "unknown CNI_COMMAND: " + value(COMMAND)));
    List<String> missing = new ArrayList<>();
    for (String name : required(verb)) if (value(name).isEmpty()) missing.add(name);
    if (!missing.isEmpty()) {
      throw new CniException(
          CniError.INVALID_ENVIRONMENT,
          "required env variables [" + String.join(",", missing) + "] missing");
    }
    List<String> path =
        value("CNI_PATH").isEmpty() ? List.of() : List.of(value("CNI_PATH").split(":"));
    return new PluginCall(
        verb,
        value("CNI_CONTAINERID"),
        value("CNI_NETNS"),
        value("CNI_IFNAME"),
        value("CNI_ARGS"),
        path);
  }

  private static List<String> required(Verb verb) {
    return switch (verb) {
      case ADD, CHECK -> List.of("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH");
      case DEL -> List.of("CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH");
      case GC, STATUS -> List.of("CNI_PATH");
      case VERSION -> List.of();
    };
  }
}
