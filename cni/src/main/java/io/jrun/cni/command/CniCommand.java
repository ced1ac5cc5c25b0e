package io.jrun.cni.command;

import io.jrun.cni.CniException;
import io.jrun.cni.network.AttachmentArgs;
import io.jrun.cni.network.ConfigDirectory;
import io.jrun.cni.network.NetworkRuntime;
import io.jrun.cni.network.ResultCache;
import io.jrun.cni.plugin.PluginExecutor;
import io.jrun.cni.plugin.ProcessExecutor;
import io.jrun.cni.simple.HelperCaller;
import io.jrun.cni.simple.OwnOrProcess;
import io.jrun.cni.simple.SimpleCni;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.NetworkConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/// Performs one `jrun cni` command.
public final class CniCommand {
  private static final int ID_BYTES = 10;

  private final Kernel kernel;
  private final SimpleCni plugin;
  private final Path ownHelper;
  private final CniUser user;

  /// @param ownHelper the installed helper
  /// @param client the process that called jrun
  public CniCommand(
      Kernel kernel, SimpleCni plugin, Path ownHelper, HelperKernel client, List<String> env) {
    this.kernel = kernel;
    this.plugin = plugin;
    this.ownHelper = ownHelper;
    this.user = new CniUser(client, env);
  }

  /// Returns what to print.
  public String perform(CniLine line) {
    try (HelperCaller caller = new HelperCaller(kernel, user.helper(), user.env())) {
      return perform(line, caller);
    }
  }

  private String perform(CniLine line, HelperCaller caller) {
    checkWords(line);
    return switch (line.action()) {
      case "add" -> add(line, caller);
      case "del" -> {
        runtime(line, caller).del(network(line), args(line));
        yield "";
      }
      case "check" -> {
        runtime(line, caller).check(network(line), args(line));
        yield "";
      }
      case "gc" -> {
        runtime(line, caller).gc(network(line), keep(line));
        yield "";
      }
      case "status" -> {
        runtime(line, caller).status(network(line));
        yield "";
      }
      case "version" ->
          CniText.versions(runtime(line, caller).versions(network(line)), isJson(line));
      case "list" -> CniText.list(directory(), cache(line), isJson(line));
      case "node" -> new NodeWatch(user, plugin).run(network(line), line.once());
      case "policy" -> new PolicyCommand(user, plugin).perform(line, isJson(line));
      default ->
          throw new CniException(
              CniError.INVALID_ENVIRONMENT, "unknown command \"cni " + line.action() + "\"");
    };
  }

  /// cnitool has a namespace behind the network in each of its verbs.
  private static void checkWords(CniLine line) {
    int most =
        switch (line.action()) {
          case "list" -> 0;
          case "node" -> 1;
          case "policy" -> Integer.MAX_VALUE;
          default -> 2;
        };
    if (line.words().size() > most)
      throw usage("cni " + line.action() + ": unexpected argument " + line.words().get(most));
  }

  private String add(CniLine line, HelperCaller caller) {
    NetworkConfig network = network(line);
    AttachmentArgs args = args(line);
    CniResult result = runtime(line, caller).add(network, args);
    return isJson(line)
        ? result.toJson(network.version()).toText("    ") + "\n"
        : CniText.result(result);
  }

  private boolean isJson(CniLine line) {
    return line.json() || !user.hasTerminal();
  }

  private ConfigDirectory directory() {
    return new ConfigDirectory(user.absolute(user.variable("NETCONFPATH", "/etc/cni/net.d")));
  }

  private ResultCache cache(CniLine line) {
    return new ResultCache(
        kernel, line.cache() == null ? ResultCache.DEFAULT : user.absolute(line.cache()));
  }

  private NetworkRuntime runtime(CniLine line, HelperCaller caller) {
    long timeoutMillis = line.timeoutSeconds() == 0 ? -1 : line.timeoutSeconds() * 1000L;
    PluginExecutor processes =
        new ProcessExecutor(kernel, user.helper(), user.env(), timeoutMillis);
    PluginExecutor executor = new OwnOrProcess(plugin, ownHelper, caller, processes);
    return new NetworkRuntime(executor, cache(line), user.pluginPath());
  }

  private NetworkConfig network(CniLine line) {
    if (line.words().isEmpty()) throw usage("cni " + line.action() + " needs a network");
    return directory().load(line.words().getFirst());
  }

  /// As cnitool makes them: the container's id follows from the namespace's path.
  private AttachmentArgs args(CniLine line) {
    if (line.words().size() < 2) {
      throw usage("cni " + line.action() + " needs a network and a network namespace");
    }
    String netns = user.absolute(line.words().get(1)).toString();
    return new AttachmentArgs(
        "cnitool-" + digest(netns),
        netns,
        user.variable("CNI_IFNAME", "eth0"),
        AttachmentArgs.parseArgs(user.variable("CNI_ARGS", "")),
        user.capabilityArgs());
  }

  private static String digest(String netns) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-512").digest(netns.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, ID_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Set<Attachment> keep(CniLine line) {
    Set<Attachment> keep = new HashSet<>();
    for (String text : line.keep()) {
      int slash = text.lastIndexOf('/');
      if (slash <= 0) throw usage("--keep needs ID/IFNAME, not \"" + text + "\"");
      keep.add(new Attachment(text.substring(0, slash), text.substring(slash + 1)));
    }
    return keep;
  }

  private static CniException usage(String message) {
    return new CniException(CniError.INVALID_ENVIRONMENT, message);
  }
}
