package io.jrun.runtime.cli;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.NamespaceType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `jrun sandbox`: what podman calls a pod.
final class SandboxCommands {
  private static final int STOP_SECONDS = 10;
  private static final String DEFAULT_SHM_SIZE = "65536k";

  private static final Map<String, NamespaceType> KINDS =
      Map.of(
          "net", NamespaceType.NETWORK,
          "ipc", NamespaceType.IPC,
          "uts", NamespaceType.UTS,
          "pid", NamespaceType.PID);

  private SandboxCommands() {}

  static int perform(Request request) {
    return switch (request.id()) {
      case "run" -> run(request);
      case "stop" -> stop(request);
      case "rm" -> remove(request);
      case "list", "ls" -> list(request);
      default -> throw CommandFailure.usage("unknown command \"sandbox " + request.id() + "\"");
    };
  }

  private static int run(Request request) {
    Options options = new Options("jrun sandbox run", "make a sandbox: namespaces to share");
    options
        .texts("name[,name]", "attach the sandbox to a CNI network", "--network")
        .texts("[ip:]port:port[,...]", "publish a port, through portmap", "--publish", "-p")
        .text("name", "the host's name; by default the sandbox's", "--hostname")
        .texts("name=value", "set a sysctl of the sandbox's namespaces", "--sysctl")
        .text(
            "kinds", "what is shared: net,ipc,uts (the default) and pid; +pid adds that", "--share")
        .text("size", "of /dev/shm, such as 64m (the default)", "--shm-size");
    Metadata.options(options);
    Nested nested = Nested.parse(options, "NAME", request.rest(), 1, 1, request);
    if (nested.isHelp()) return 0;
    ParsedLine line = nested.line();
    SandboxOptions asked =
        new SandboxOptions(
            request.global(),
            nested.argument(0),
            line.texts("--network"),
            line.texts("--publish"),
            line.text("--hostname"),
            sysctls(line.texts("--sysctl")),
            shared(line.text("--share", "")),
            shmSize(line.text("--shm-size", DEFAULT_SHM_SIZE)),
            Metadata.of(line));
    try {
      request.operations().sandboxRun(asked);
    } catch (RuntimeException e) {
      String message = e.getMessage() == null ? e.toString() : e.getMessage();
      throw new CommandFailure(1, "jrun sandbox run failed: " + message, e);
    }
    return 0;
  }

  private static Map<String, String> sysctls(List<String> given) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String one : given) {
      int equals = one.indexOf('=');
      if (equals <= 0) throw CommandFailure.usage("not a sysctl (name=value): " + one);
      values.put(one.substring(0, equals), one.substring(equals + 1));
    }
    return values;
  }

  private static List<NamespaceType> shared(String text) {
    List<NamespaceType> kinds = new ArrayList<>();
    boolean adds = text.isEmpty() || text.startsWith("+");
    String words = adds ? "net,ipc,uts," + text.replaceFirst("^\\+", "") : text;
    for (String word : words.split(",")) {
      NamespaceType kind = KINDS.get(word);
      if (kind == null) throw CommandFailure.usage("cannot share \"" + word + "\"");
      if (!kinds.contains(kind)) kinds.add(kind);
    }
    if (!kinds.contains(NamespaceType.NETWORK))
      throw CommandFailure.usage("a sandbox shares net at least: --share " + text);
    return kinds;
  }

  private static String shmSize(String text) {
    if (!text.matches("[0-9]{1,18}[bkmgBKMG]?"))
      throw CommandFailure.usage("not a size such as 64m: " + text);
    return text.replaceFirst("[bB]$", "");
  }

  private static int stop(Request request) {
    Options options = new Options("jrun sandbox stop", "end a sandbox and its containers");
    options.text("seconds", "for containers to end (default: 10)", "--time", "-t");
    Nested nested = Nested.parse(options, "NAME", request.rest(), 1, 1, request);
    if (nested.isHelp()) return 0;
    ParsedLine line = nested.line();
    int seconds = line.has("--time") ? line.count("--time") : STOP_SECONDS;
    request.operations().sandboxStop(request.global(), nested.argument(0), seconds);
    return 0;
  }

  private static int remove(Request request) {
    Options options = new Options("jrun sandbox rm", "remove a sandbox with its containers");
    options.flag("also where containers of it run", "--force", "-f");
    Nested nested = Nested.parse(options, "NAME", request.rest(), 1, 1, request);
    if (nested.isHelp()) return 0;
    boolean force = nested.line().has("--force");
    request.operations().sandboxRemove(request.global(), nested.argument(0), force);
    return 0;
  }

  private static int list(Request request) {
    Options options = new Options("jrun sandbox list", "list the sandboxes under the given root");
    options
        .text("table|json", "the format", "--format", "-f")
        .flag("show only names", "--quiet", "-q");
    Nested nested = Nested.parse(options, "", request.rest(), 0, 0, request);
    if (nested.isHelp()) return 0;
    Request inner =
        new Request(request.global(), nested.line(), request.operations(), request.caller());
    boolean isJson = ContainerCommands.isJson(inner, "table");
    List<SandboxSummary> all = request.operations().sandboxes(request.global());
    if (nested.line().has("--quiet")) {
      StringBuilder names = new StringBuilder();
      all.forEach(sandbox -> names.append(sandbox.name()).append('\n'));
      request.caller().out(names.toString());
    } else {
      request.caller().out(isJson ? json(all) : table(all));
    }
    return 0;
  }

  private static String table(List<SandboxSummary> all) {
    TextTable table =
        new TextTable(List.of("NAME", "PID", "STATUS", "ADDRESSES", "CONTAINERS", "CREATED"));
    for (SandboxSummary one : all) {
      table.add(
          List.of(
              one.name(),
              Integer.toString(one.pid()),
              one.status(),
              String.join(",", one.addresses()),
              Integer.toString(one.containers().size()),
              one.created()));
    }
    return table.text();
  }

  private static String json(List<SandboxSummary> all) {
    return new JsonArray(all.stream().map(SandboxCommands::json).toList()).toText() + "\n";
  }

  private static Json json(SandboxSummary one) {
    return JsonObject.EMPTY
        .with("name", Json.of(one.name()))
        .with("pid", Json.of(one.pid()))
        .with("status", Json.of(one.status()))
        .with("addresses", strings(one.addresses()))
        .with("containers", strings(one.containers()))
        .with("created", Json.of(one.created()));
  }

  static JsonArray strings(List<String> texts) {
    return new JsonArray(texts.stream().<Json>map(Json::of).toList());
  }
}
