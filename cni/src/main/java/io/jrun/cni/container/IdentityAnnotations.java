package io.jrun.cni.container;

import io.jrun.cni.CniException;
import io.jrun.cni.network.AttachmentArgs;
import io.jrun.specs.cni.CniError;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A container's annotations by which network policies select it, as CNI_ARGS: `io.jrun.namespace`,
/// `io.jrun.labels` (`app=web,tier=front`) and `io.jrun.ports` (`http:80/tcp`). Plugins that do not
/// know them are told not to mind.
final class IdentityAnnotations {
  private static final Map<String, String> KEYS =
      Map.of(
          "io.jrun.labels", "LABELS",
          "io.jrun.namespace", "K8S_POD_NAMESPACE",
          "io.jrun.ports", "PORTS");

  private IdentityAnnotations() {}

  static List<AttachmentArgs.Arg> args(Map<String, String> annotations) {
    List<AttachmentArgs.Arg> args = new ArrayList<>();
    KEYS.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> {
          String value = annotations.get(entry.getKey());
          if (value == null || value.isBlank()) return;
          if (value.indexOf(';') >= 0) {
            throw new CniException(
                CniError.INVALID_CONFIG, "annotation " + entry.getKey() + " has a semicolon");
          }
          args.add(new AttachmentArgs.Arg(entry.getValue(), value.strip()));
        });
    if (!args.isEmpty()) args.addFirst(new AttachmentArgs.Arg("IgnoreUnknown", "1"));
    return args;
  }
}
