package io.jrun.cni.command;

import io.jrun.cni.CniException;
import io.jrun.cni.node.NodeAgent;
import io.jrun.cni.simple.SimpleCni;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.NetworkConfig;
import io.jrun.specs.cni.PluginConfig;
import io.jrun.specs.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// `jrun cni node`: keeps the routes to other nodes as the list of nodes says, until its caller
/// ends.
record NodeWatch(CniUser user, SimpleCni plugin) {
  private static final long PAUSE_MILLIS = 1000;

  /// Returns what to print at the end; while it watches, it prints what changes, and each error
  /// once until a round goes well.
  String run(NetworkConfig network, boolean once) {
    try (NodeAgent agent = plugin.agent(configuration(network))) {
      if (once) return lines(agent.round());
      String said = "";
      Set<String> errors = new HashSet<>(); // since all was well: two endpoints fail in turn
      while (true) {
        try {
          String now = lines(agent.round());
          if (now.isEmpty()) now = "all routes are there\n";
          if (!now.equals(said)) user.print(now);
          said = now;
          errors.clear();
        } catch (RuntimeException e) {
          said = "error: " + e.getMessage() + "\n"; // what runs goes on; the next round tries again
          if (errors.add(said)) user.print(said);
        }
        pause(agent);
      }
    }
  }

  private void pause(NodeAgent agent) {
    try {
      agent.await(PAUSE_MILLIS);
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
