package io.jrun.cni.network;

import io.jrun.cni.CniException;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniNames;
import io.jrun.specs.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// A container's interface on a network, and what its plugins are told of it.
///
/// @param netns the path of the network namespace; empty when it is gone
/// @param args CNI_ARGS in their order
/// @param capabilityArgs by capability, for the plugins that declare it
public record AttachmentArgs(
    String containerId,
    String netns,
    String ifname,
    List<Arg> args,
    Json.JsonObject capabilityArgs) {
  /// One of CNI_ARGS.
  public record Arg(String key, String value) {}

  public AttachmentArgs {
    args = List.copyOf(args);
  }

  /// Parses `K=V;K=V`.
  public static List<Arg> parseArgs(String text) {
    List<Arg> args = new ArrayList<>();
    for (String pair : text.isEmpty() ? new String[0] : text.split(";", -1)) {
      int equals = pair.indexOf('=');
      if (equals <= 0) {
        throw new CniException(
            CniError.INVALID_ENVIRONMENT, "invalid CNI_ARGS pair \"" + pair + "\"");
      }
      args.add(new Arg(pair.substring(0, equals), pair.substring(equals + 1)));
    }
    return args;
  }

  /// The same with another namespace.
  public AttachmentArgs in(String other) {
    return new AttachmentArgs(containerId, other, ifname, args, capabilityArgs);
  }

  String argsText() {
    if (args.isEmpty()) return "";
    return args.stream().map(a -> a.key() + "=" + a.value()).collect(Collectors.joining(";"));
  }

  /// Refuses names that no plugin would take.
  void check() {
    if (!CniNames.isName(containerId)) {
      throw new CniException(
          CniError.INVALID_ENVIRONMENT, "invalid container id \"" + containerId + "\"");
    }
    if (!CniNames.isInterface(ifname)) {
      throw new CniException(
          CniError.INVALID_ENVIRONMENT, "invalid interface name \"" + ifname + "\"");
    }
  }
}
