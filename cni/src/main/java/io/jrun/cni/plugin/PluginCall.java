package io.jrun.cni.plugin;

import java.util.ArrayList;
import java.util.List;

/// The parameters of one call, which become the plugin's environment.
///
/// @param netns the path of the network namespace; empty where the verb has none
/// @param args CNI_ARGS, such as `K=V;K=V`
/// @param path CNI_PATH, the directories of plugins
public record PluginCall(
    Verb verb, String containerId, String netns, String ifname, String args, List<String> path) {
  public PluginCall {
    path = List.copyOf(path);
  }

  /// The parent's environment with these parameters in place of its own.
  public List<String> environment(List<String> parent) {
    List<String> env = new ArrayList<>();
    env.add("CNI_COMMAND=" + verb.name());
    env.add("CNI_CONTAINERID=" + containerId);
    env.add("CNI_NETNS=" + netns);
    env.add("CNI_ARGS=" + args);
    env.add("CNI_IFNAME=" + ifname);
    env.add("CNI_PATH=" + String.join(":", path));
    List<String> names = env.stream().map(v -> v.substring(0, v.indexOf('=') + 1)).toList();
    for (String variable : parent) {
      if (names.stream().noneMatch(variable::startsWith)) env.add(variable);
    }
    return env;
  }
}
