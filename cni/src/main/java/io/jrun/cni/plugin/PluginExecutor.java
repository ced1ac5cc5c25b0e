package io.jrun.cni.plugin;

import io.jrun.cni.CniException;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.json.SpecException;
import java.util.Optional;

/// Runs a plugin.
public interface PluginExecutor {
  /// Returns what the plugin printed.
  ///
  /// @param type the plugin's name, to be found in the call's path
  /// @throws CniException the error that it told, or that kept it from running
  byte[] execute(String type, PluginCall call, PluginInput input);

  /// ADD with its result, which is no text where the plugin is in this process.
  ///
  /// @param version of a result that names none
  default CniResult add(String type, PluginCall call, PluginInput input, CniVersion version) {
    byte[] out = execute(type, call, input);
    try {
      return CniResult.read("the result of " + type, out, version);
    } catch (SpecException e) {
      throw new CniException(CniError.DECODING_FAILURE, String.valueOf(e.getMessage()).strip(), e);
    }
  }

  /// Looks at what an ADD needs, and changes nothing; empty where the plugin does it all at once.
  ///
  /// @param call its namespace is a path that is there for as long as the container
  default Optional<BegunAdd> begin(String type, PluginCall call, PluginInput input) {
    return Optional.empty();
  }

  /// An ADD whose container has no network namespace yet.
  interface BegunAdd {
    /// Does what needs no network namespace; a failure undoes it.
    void prepare();

    /// Makes the interface, where the engine has the container's network namespace before a process
    /// is there; a failure undoes all.
    ///
    /// @return false where that needs a process; then [#finish] does it
    boolean wire(NetworkNamespace namespace);

    /// Does what is left, all of it where [#wire] was not called.
    CniResult finish(String netns);

    /// Takes back what [#prepare] and [#wire] have done, where it will not be finished; a failed
    /// [#finish] has done so.
    void abandon();

    /// Removes the interface that [#finish] made as soon as a process has ended; the DEL that
    /// follows finds that done.
    ///
    /// @param process a pidfd, which is closed at the end
    void removeLinkAtEnd(OwnedDescriptor process);

    /// DEL after [#finish], when all processes of the container have ended: nothing is looked up
    /// that is known from the ADD.
    void delete();
  }
}
