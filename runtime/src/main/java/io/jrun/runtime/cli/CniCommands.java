package io.jrun.runtime.cli;

import io.jrun.cni.command.CniLine;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/// `jrun cni …`: CNI plugins, nodes and policies. Options may come before the command's name, so
/// all commands share one grammar; the help is each one's own.
enum CniCommands {
  ADD(
      "attach a network namespace to a network, and print the result",
      "NETWORK NETNS",
      List.of(CniCommands::json, CniCommands::cache, CniCommands::timeout),
      attachment()),
  DEL(
      "detach a network namespace from a network",
      "NETWORK NETNS",
      List.of(CniCommands::cache, CniCommands::timeout),
      attachment()),
  CHECK(
      "compare what a network namespace has with the result of its add",
      "NETWORK NETNS",
      List.of(CniCommands::cache, CniCommands::timeout),
      attachment()),
  GC(
      "del of every attachment to a network that is not to be kept, then gc of each plugin",
      "NETWORK [NETNS]",
      List.of(CniCommands::keep, CniCommands::cache, CniCommands::timeout),
      plugins()),
  STATUS(
      "ask the plugins of a network whether they can add now",
      "NETWORK [NETNS]",
      List.of(CniCommands::timeout),
      plugins()),
  VERSION(
      "print which versions of CNI the plugins of a network know",
      "NETWORK [NETNS]",
      List.of(CniCommands::json, CniCommands::timeout),
      plugins()),
  LIST(
      "list networks and attachments",
      "",
      List.of(CniCommands::json, CniCommands::cache),
      networks()),
  NODE(
      "keep the routes to the other nodes of a network, until it is ended",
      "NETWORK",
      List.of(CniCommands::once),
      networks()),
  POLICY(
      "keep network policies: apply, list, show, delete, endpoints",
      "apply|list|show|delete|endpoints [NAME...]",
      List.of(
          CniCommands::json, CniCommands::files, CniCommands::namespace, CniCommands::policyDir),
      List.of()),
  POLICY_APPLY(
      "put network policies and the labels of namespaces in force",
      "",
      List.of(CniCommands::files, CniCommands::namespace, CniCommands::policyDir),
      List.of()),
  POLICY_LIST(
      "list network policies with how much they allowed and denied",
      "",
      List.of(CniCommands::json, CniCommands::namespace, CniCommands::policyDir),
      List.of()),
  POLICY_SHOW(
      "show a network policy with the count of each rule",
      "NAME",
      List.of(CniCommands::json, CniCommands::namespace, CniCommands::policyDir),
      List.of()),
  POLICY_DELETE(
      "take network policies out of force; namespace/NAME: the labels of a namespace",
      "NAME...",
      List.of(CniCommands::namespace, CniCommands::policyDir),
      List.of()),
  POLICY_ENDPOINTS(
      "list the containers that policies can select",
      "",
      List.of(CniCommands::json, CniCommands::policyDir),
      List.of());

  private static final int PLUGIN_SECONDS = 120;

  private final String summary;
  private final String arguments;
  private final List<Consumer<Options>> options;
  private final List<String> environment;

  CniCommands(
      String summary, String arguments, List<Consumer<Options>> options, List<String> environment) {
    this.summary = summary;
    this.arguments = arguments;
    this.options = options;
    this.environment = environment;
  }

  /// All that any of them has.
  static void options(Options options) {
    json(options);
    cache(options);
    timeout(options);
    keep(options);
    once(options);
    files(options);
    namespace(options);
    policyDir(options);
  }

  private static void json(Options options) {
    options.flag("print JSON also on a terminal", "--json");
  }

  private static void cache(Options options) {
    options.text("dir", "the directory of cached results (default: /var/lib/cni)", "--cache");
  }

  private static void timeout(Options options) {
    options.text("seconds", "for each plugin; 0 for ever (default: 120)", "--timeout");
  }

  private static void keep(Options options) {
    options.texts("id/ifname", "an attachment that gc keeps", "--keep");
  }

  private static void once(Options options) {
    options.flag("node sets the routes once and ends", "--once");
  }

  private static void files(Options options) {
    options.texts(
        "file",
        "policies and namespaces to apply, YAML or JSON; - is standard input",
        "--filename",
        "-f");
  }

  private static void namespace(Options options) {
    options.text(
        "name", "the namespace of policies (default: default; to list: all)", "--namespace", "-n");
  }

  private static void policyDir(Options options) {
    options.text(
        "dir", "where policies are kept (default: /var/lib/cni/simplecni-policy)", "--policy-dir");
  }

  private static List<String> networks() {
    return List.of("NETCONFPATH  the directory of network configurations (/etc/cni/net.d)");
  }

  private static List<String> plugins() {
    return List.of(
        networks().getFirst(),
        "CNI_PATH     directories of plugins, between colons (/opt/cni/bin:/usr/lib/cni)");
  }

  private static List<String> attachment() {
    return List.of(
        plugins().getFirst(),
        plugins().getLast(),
        "CNI_IFNAME   the interface in the namespace (eth0)",
        "CNI_ARGS     for the plugins: NAME=VALUE;...",
        "CAP_ARGS     values of capabilities, as a JSON object");
  }

  private String words() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static Optional<CniCommands> named(String words) {
    for (CniCommands command : values()) {
      if (command.words().equals(words)) return Optional.of(command);
    }
    return Optional.empty();
  }

  /// The help of the command that a line names.
  ///
  /// @param all what is printed of all together, where it names none
  static String usage(List<String> words, String all) {
    Optional<CniCommands> found = Optional.empty();
    if (words.size() > 1) found = named(words.get(0) + " " + words.get(1));
    if (found.isEmpty() && !words.isEmpty()) found = named(words.getFirst());
    if (found.isPresent()) return found.get().usage();
    StringBuilder text = new StringBuilder(all).append("\nCommands:\n");
    for (CniCommands command : values()) {
      text.append(String.format("  %-16s %s%n", command.words(), command.summary));
    }
    return text.toString();
  }

  private String usage() {
    Options built = new Options("jrun cni " + words(), summary);
    options.forEach(option -> option.accept(built));
    String text = new Grammar(() -> built.withArguments(arguments), false).usage();
    if (environment.isEmpty()) return text;
    return text + "\nEnvironment:\n  " + String.join("\n  ", environment) + "\n";
  }

  static int perform(Request request) {
    ParsedLine line = request.line();
    CniLine parsed =
        new CniLine(
            request.id(),
            request.rest(),
            line.has("--json"),
            line.text("--cache"),
            line.has("--timeout") ? line.count("--timeout") : PLUGIN_SECONDS,
            line.texts("--keep"),
            line.has("--once"),
            new CniLine.PolicyOptions(
                line.texts("--filename"), line.text("--namespace"), line.text("--policy-dir")));
    request.caller().out(request.operations().cni(parsed));
    return 0;
  }
}
