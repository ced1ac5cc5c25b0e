package io.jrun.runtime.rehearsal;

import io.jrun.cni.container.Networks;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.network.AttachmentArgs;
import io.jrun.cni.network.CachedAttachment;
import io.jrun.cni.network.ConfigDirectory;
import io.jrun.cni.plugin.PluginPath;
import io.jrun.kernel.HelperKernel;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.NetworkConfig;
import io.jrun.specs.cni.PluginConfig;
import io.jrun.specs.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Networks in a rehearsal: which plugins would be called, with which part of their configuration.
/// What they would do, and the result that each hands to the next, nobody knows without calling
/// them.
final class RehearsedNetworks implements Networks {
  private final Rehearsal rehearsal;
  private final List<String> undoing = new ArrayList<>();

  RehearsedNetworks(Rehearsal rehearsal) {
    this.rehearsal = rehearsal;
  }

  @Override
  public Attaching begin(
      HelperKernel client, List<String> env, String containerId, String sign, Wish wish) {
    return new Attaching() {
      @Override
      public void written(
          Optional<Supplier<NetworkNamespace>> namespace, Consumer<List<Attached>> then) {}

      @Override
      public void born(String netns) {}

      @Override
      public void enter(String netns) {}

      /// What keeps the namespace is not shown: it would be taken back by what is only there then.
      @Override
      public boolean hasOthers() {
        return false;
      }

      @Override
      public List<Attached> finish(String netns, Runnable there) {
        return attach(containerId, netns, wish);
      }

      @Override
      public void abandon() {}
    };
  }

  @Override
  public void detachAtEnd(Known known, int init) {}

  private List<Attached> attach(String containerId, String netns, Wish wish) {
    List<Attached> attached = new ArrayList<>();
    for (String name : wish.names()) {
      String ifname = "eth" + attached.size();
      NetworkConfig network = new ConfigDirectory(wish.configDirectory()).load(name);
      for (PluginConfig plugin : network.plugins()) {
        String file = PluginPath.find(plugin.type(), wish.pluginPath()).toString();
        rehearsal.note(
            "plugin: ADD %s %s %s: %s %s"
                .formatted(containerId, ifname, netns, file, plugin.json().toText()));
        undoing.addFirst("plugin: DEL %s %s: %s".formatted(containerId, ifname, file));
      }
      AttachmentArgs args =
          new AttachmentArgs(containerId, netns, ifname, List.of(), Json.JsonObject.EMPTY);
      attached.add(
          new Attached(
              CniResult.EMPTY,
              new Known.Attachment(
                  network,
                  new CachedAttachment(name, network.source(), args, Json.JsonObject.EMPTY),
                  null)));
    }
    return attached;
  }

  @Override
  public void detach(
      HelperKernel client,
      List<String> env,
      String containerId,
      List<String> pluginPath,
      String netns) {
    undoing.forEach(rehearsal::note);
    undoing.clear();
  }

  @Override
  public void detach(
      HelperKernel client, List<String> env, Known known, List<String> pluginPath, String netns) {
    detach(client, env, "", pluginPath, netns);
  }

  @Override
  public void detachAny(
      HelperKernel client, List<String> env, String containerId, Wish wish, String netns) {
    detach(client, env, containerId, wish.pluginPath(), netns);
  }
}
