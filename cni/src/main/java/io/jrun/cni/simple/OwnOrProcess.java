package io.jrun.cni.simple;

import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.plugin.PluginExecutor;
import io.jrun.cni.plugin.PluginInput;
import io.jrun.cni.plugin.PluginPath;
import io.jrun.kernel.IoReason;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.CniVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// Runs SimpleCNI in the engine where the file found is this installation's own, and every other
/// plugin as a process.
public final class OwnOrProcess implements PluginExecutor {
  private final SimpleCni plugin;
  private final Path helper;
  private final Caller caller;
  private final PluginExecutor processes;

  /// @param helper the installed helper, which `simplecni` is another name of
  public OwnOrProcess(SimpleCni plugin, Path helper, Caller caller, PluginExecutor processes) {
    this.plugin = plugin;
    this.helper = helper;
    this.caller = caller;
    this.processes = processes;
  }

  @Override
  public byte[] execute(String type, PluginCall call, PluginInput input) {
    if (!isOwn(type, call)) return processes.execute(type, call, input);
    return plugin.perform(call, input, caller).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public CniResult add(String type, PluginCall call, PluginInput input, CniVersion version) {
    return isOwn(type, call)
        ? plugin.add(call, input, caller)
        : processes.add(type, call, input, version);
  }

  @Override
  public Optional<BegunAdd> begin(String type, PluginCall call, PluginInput input) {
    return isOwn(type, call) ? plugin.begin(call, input, caller) : Optional.empty();
  }

  private boolean isOwn(String type, PluginCall call) {
    return type.equals(SimpleCni.NAME) && isOwn(PluginPath.find(type, call.path()));
  }

  private boolean isOwn(Path file) {
    try {
      return Files.isSameFile(file, helper);
    } catch (IOException e) {
      throw new UncheckedIOException("look at " + file + ": " + IoReason.of(e), e);
    }
  }
}
