package io.jrun.cni.plugin;

/// Runs a plugin.
public interface PluginExecutor {
  /// Returns what the plugin printed.
  ///
  /// @param type the plugin's name, to be found in the call's path
  /// @throws io.jrun.cni.CniException the error that it told, or that kept it from running
  byte[] execute(String type, PluginCall call, byte[] stdin);
}
