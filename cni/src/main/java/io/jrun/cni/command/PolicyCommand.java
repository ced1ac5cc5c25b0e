package io.jrun.cni.command;

import io.jrun.cni.CniException;
import io.jrun.cni.policy.CountedPolicy;
import io.jrun.cni.policy.Endpoint;
import io.jrun.cni.policy.Identity;
import io.jrun.cni.policy.Policies;
import io.jrun.cni.simple.SimpleCni;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// `jrun cni policy apply|list|show|delete|endpoints`, in kubectl's words.
record PolicyCommand(CniUser user, SimpleCni plugin) {
  private static final int CHUNK = 65536;
  private static final String NAMESPACE = "namespace/";

  /// Returns what to print.
  String perform(CniLine line, boolean isJson) {
    if (line.words().isEmpty()) {
      throw usage("cni policy needs apply, list, show, delete or endpoints");
    }
    CniLine.PolicyOptions options = line.policy();
    Path directory =
        options.directory() == null ? Policies.DIRECTORY : user.absolute(options.directory());
    Policies policies = plugin.policies(directory);
    List<String> names = line.words().subList(1, line.words().size());
    String namespace =
        options.namespace() == null ? Identity.DEFAULT_NAMESPACE : options.namespace();
    return switch (line.words().getFirst()) {
      case "apply" -> apply(policies, options.files(), names, options.namespace());
      case "list" ->
          list(policies.list(options.namespace() == null ? "" : options.namespace()), isJson);
      case "show" -> show(policies.show(namespace, one(names, "show")), isJson);
      case "delete" -> {
        if (names.isEmpty()) throw usage("cni policy delete needs a name");
        List<String> said = new ArrayList<>();
        for (String name : names) {
          said.add(
              name.startsWith(NAMESPACE)
                  ? policies.deleteNamespace(name.substring(NAMESPACE.length()))
                  : policies.delete(namespace, name));
        }
        yield String.join("\n", said) + "\n";
      }
      case "endpoints" -> endpoints(policies.endpoints(), isJson);
      default -> throw usage("unknown command \"cni policy " + line.words().getFirst() + "\"");
    };
  }

  private static CniException usage(String message) {
    return new CniException(CniError.INVALID_ENVIRONMENT, message);
  }

  private static String one(List<String> names, String verb) {
    if (names.size() != 1) throw usage("cni policy " + verb + " needs a name");
    return names.getFirst();
  }

  private String apply(
      Policies policies, List<String> files, List<String> words, @Nullable String namespace) {
    if (files.isEmpty() || !words.isEmpty()) {
      throw usage("cni policy apply needs --filename FILE; - is the standard input");
    }
    List<String> said = new ArrayList<>();
    for (String file : files) {
      String text = file.equals("-") ? standardInput() : read(user.absolute(file));
      said.addAll(policies.apply(file, text, namespace));
    }
    return String.join("\n", said) + "\n";
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new CniException(CniError.IO_FAILURE, "read " + file + ": " + IoReason.of(e), e);
    }
  }

  private String standardInput() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (true) {
      byte[] bytes = user.helper().call(new FileCall.Read(Descriptor.STDIN, CHUNK));
      if (bytes.length == 0) return all.toString(StandardCharsets.UTF_8);
      all.writeBytes(bytes);
    }
  }

  private static Json json(CountedPolicy one) {
    List<Json> rules = new ArrayList<>();
    for (CountedPolicy.Rule rule : one.rules()) {
      rules.add(
          Json.JsonObject.EMPTY
              .with("rule", Json.of(rule.text()))
              .with("packets", Json.of(rule.packets()))
              .with("bytes", Json.of(rule.bytes())));
    }
    return Json.JsonObject.EMPTY
        .with("policy", one.json())
        .with("selected", Json.of(one.selected()))
        .with("counters", new Json.JsonArray(rules));
  }

  private static String list(List<CountedPolicy> all, boolean isJson) {
    if (isJson) {
      return new Json.JsonArray(all.stream().map(PolicyCommand::json).toList()).toText("    ")
          + "\n";
    }
    StringBuilder text =
        new StringBuilder(row("NAMESPACE", "NAME", "SELECTED", "ALLOWED", "DENIED"));
    for (CountedPolicy one : all) {
      long denied = 0;
      long allowed = 0;
      for (CountedPolicy.Rule rule : one.rules()) {
        if (rule.text().endsWith("denied")) denied += rule.packets();
        else allowed += rule.packets();
      }
      text.append(
          row(
              one.namespace(),
              one.name(),
              String.valueOf(one.selected()),
              String.valueOf(allowed),
              String.valueOf(denied)));
    }
    return text.toString();
  }

  private static String row(String... cells) {
    return String.format("%-16s %-32s %8s %10s %10s%n", (Object[]) cells);
  }

  private static String show(CountedPolicy one, boolean isJson) {
    if (isJson) return json(one).toText("    ") + "\n";
    StringBuilder text = new StringBuilder(one.json().toText("  ")).append('\n');
    text.append("selected: ").append(one.selected()).append('\n');
    for (CountedPolicy.Rule rule : one.rules()) {
      text.append(
          String.format(
              "%-16s %10d packets %12d bytes%n", rule.text(), rule.packets(), rule.bytes()));
    }
    return text.toString();
  }

  private static String endpoints(List<Endpoint> all, boolean isJson) {
    List<Json> json = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (Endpoint one : all) {
      Map<String, String> labels = new TreeMap<>(one.identity().labels());
      List<String> addresses = one.addresses().stream().map(Object::toString).toList();
      json.add(one.holderJson().with("addresses", Json.ofStrings(addresses)));
      text.append(one.identity().namespace())
          .append("  ")
          .append(one.holder().containerId())
          .append('/')
          .append(one.holder().ifname())
          .append("  ")
          .append(String.join(",", addresses))
          .append("  ")
          .append(labels)
          .append('\n');
    }
    return isJson ? new Json.JsonArray(json).toText("    ") + "\n" : text.toString();
  }
}
