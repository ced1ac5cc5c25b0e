package io.jrun.cni.command;

import io.jrun.cni.CniException;
import io.jrun.cni.simple.SimpleCni;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.NetworkConfig;
import io.jrun.specs.cni.PluginConfig;
import io.jrun.specs.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// `jrun cni node`: keeps the routes to other nodes as the list of nodes says, until its caller
/// ends.
record NodeWatch(CniUser user, SimpleCni plugin) {
  private static final long PAUSE_MILLIS = 1000;

  /// Returns what to print at the end; while it watches, it prints what changes.
  String run(NetworkConfig network, boolean once) {
    byte[] configuration = configuration(network);
    if (once) return lines(plugin.syncNodes(configuration));
    String said = "";
    while (true) {
      String now;
      try {
        now = lines(plugin.syncNodes(configuration));
      } catch (io.jrun.kernel.HelperGoneException e) {
        throw e;
      } catch (RuntimeException e) {
        now = "error: " + e.getMessage() + "\n"; // what runs goes on; the next round tries again
      }
      if (!now.equals(said)) user.print(now.isEmpty() ? "all routes are there\n" : now);
      said = now;
      pause();
    }
  }

  private void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    user.helper().call(new ProcessCall.Getpid()); // ends the watch when the caller is gone
  }

  private static String lines(List<String> commands) {
    return commands.isEmpty() ? "" : String.join("\n", commands) + "\n";
  }

  private static byte[] configuration(NetworkConfig network) {
    for (PluginConfig one : network.plugins()) {
      if (!one.type().equals(SimpleCni.NAME)) continue;
      return one.json()
          .with("name", Json.of(network.name()))
          .with("cniVersion", Json.of(network.version().text()))
          .toText()
          .getBytes(StandardCharsets.UTF_8);
    }
    throw new CniException(
        CniError.INVALID_CONFIG, "network " + network.name() + " has no plugin simplecni");
  }
}
