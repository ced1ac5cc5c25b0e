package io.jrun.cni.container;

import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.network.AttachmentArgs;
import io.jrun.cni.network.CachedAttachment;
import io.jrun.cni.plugin.PluginExecutor;
import io.jrun.kernel.HelperKernel;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.NetworkConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Attaches containers to networks and detaches them.
public interface Networks {
  /// What a container wants.
  ///
  /// @param names of networks; the first is eth0
  /// @param args CNI_ARGS of every network
  record Wish(
      List<String> names,
      List<PublishedPort> ports,
      Path configDirectory,
      List<String> pluginPath,
      List<AttachmentArgs.Arg> args) {
    public Wish {
      names = List.copyOf(names);
      ports = List.copyOf(ports);
      pluginPath = List.copyOf(pluginPath);
      args = List.copyOf(args);
    }

    public Wish(
        List<String> names,
        List<PublishedPort> ports,
        Path configDirectory,
        List<String> pluginPath) {
      this(names, ports, configDirectory, pluginPath, List.of());
    }

    /// The same for a container with annotations by which network policies select it.
    public Wish identifiedBy(Map<String, String> annotations) {
      return new Wish(
          names, ports, configDirectory, pluginPath, IdentityAnnotations.args(annotations));
    }
  }

  /// One interface of the container.
  ///
  /// @param known what detaching it will need
  record Attached(CniResult result, Known.Attachment known) {}

  /// What a container is attached to, as the cache has it, for who has attached it and need not
  /// read it again.
  record Known(List<Attachment> attachments) {
    /// @param network the configuration that it was attached by
    /// @param first its first plugin, where that is this process
    public record Attachment(
        NetworkConfig network, CachedAttachment cached, PluginExecutor.@Nullable BegunAdd first) {}

    public Known {
      attachments = List.copyOf(attachments);
    }

    /// Of what has just been attached.
    public static Known of(List<Attached> attached) {
      return new Known(attached.stream().map(Attached::known).toList());
    }
  }

  /// Begins to attach a container to all of the networks, or to none: looks at what that needs, in
  /// another thread.
  ///
  /// @param client the process that wires: plugins run as its children
  /// @param sign a path that is there for as long as the container
  Attaching begin(
      HelperKernel client, List<String> env, String containerId, String sign, Wish wish);

  /// A container that is being attached.
  interface Attaching {
    /// Says that it is written down what the container is attached to, so that whatever is done is
    /// found after a crash: what needs no process of the container is done from here on.
    ///
    /// @param namespace waits for the container's, where it is there before such a process
    /// @param then done with what the container is attached to, where that is known before
    ///   [#finish]
    void written(Optional<Supplier<NetworkNamespace>> namespace, Consumer<List<Attached>> then);

    /// Says by which path the network namespace is found from now on, or soon: what is left where
    /// nobody has to go there is done without waiting for [#finish].
    void born(String netns);

    /// Goes into the network namespace, which is there now, if [#finish] will have to.
    void enter(String netns);

    /// Whether plugins that are processes of their own will have to detach the container: of these
    /// some look into its namespace for what they are to take back. Asked when init is born.
    boolean hasOthers();

    /// Attaches the container; a failure detaches it from all.
    ///
    /// @param there waits until the path leads to its namespace
    List<Attached> finish(String netns, Runnable there);

    /// Takes back what was begun, where it is not finished.
    void abandon();
  }

  /// Begins to detach a container when its processes have ended, before anybody asks for it.
  ///
  /// @param init the first of its pid namespace
  void detachAtEnd(Known known, int init);

  /// Detaches the container from all that it was attached to, going on after failures; what could
  /// not be detached stays for the next try.
  ///
  /// @param netns the container's; empty where it has ended with the container
  void detach(
      HelperKernel client,
      List<String> env,
      String containerId,
      List<String> pluginPath,
      String netns);

  /// Detaches the container from attachments that the caller has read from the cache already.
  void detach(
      HelperKernel client, List<String> env, Known known, List<String> pluginPath, String netns);

  /// Detaches a container whose attaching may have been interrupted: from all that is cached for
  /// it, and from those of its networks that have no cached result but are still configured.
  void detachAny(
      HelperKernel client, List<String> env, String containerId, Wish wish, String netns);
}
