package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.node.NodeAgent;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.plugin.PluginExecutor;
import io.jrun.cni.plugin.PluginInput;
import io.jrun.cni.plugin.Verb;
import io.jrun.cni.policy.Policies;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.CniResult;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.cni.VersionInfo;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/// The plugin.
public final class SimpleCni {
  public static final String NAME = "simplecni";

  private final Host host;
  private final RecentConfigs configs = new RecentConfigs();

  public SimpleCni(Kernel kernel) {
    this.host = Host.of(kernel);
  }

  private Call call(PluginCall call, PluginInput input, Caller caller) {
    return new Call(host, configs.get(input, call.args()), call, input, caller);
  }

  /// Performs one call of a program and returns what it prints.
  ///
  /// @throws CniException the error that the plugin prints
  String perform(PluginCall call, byte[] stdin, Caller caller) {
    if (call.verb() == Verb.VERSION) return version(stdin).toJson().toText();
    PluginInput input =
        configs.input(new String(stdin, StandardCharsets.UTF_8), () -> input(stdin));
    return checked(() -> {
      Call one = call(call, input, caller);
      one.previous(); // so that one that makes no sense is told, whatever the verb
      return one.perform();
    });
  }

  /// Performs one call of this process and returns what the plugin would print.
  public String perform(PluginCall call, PluginInput input, Caller caller) {
    if (call.verb() == Verb.VERSION) return version(input.bytes()).toJson().toText();
    return checked(() -> call(call, input, caller).perform());
  }

  /// ADD of this process.
  public CniResult add(PluginCall call, PluginInput input, Caller caller) {
    return checked(() -> call(call, input, caller).add());
  }

  /// Looks at what an ADD needs. Empty where another plugin gives the addresses, which needs the
  /// container's namespace and the caller's process from the start.
  public Optional<PluginExecutor.BegunAdd> begin(
      PluginCall call, PluginInput input, Caller caller) {
    return checked(() -> {
      Call one = call(call, input, caller);
      return one.ipam() instanceof OwnIpam
          ? Optional.of(new Begun(caller, Adding.begin(one)))
          : Optional.empty();
    });
  }

  private record Begun(Caller caller, Adding adding) implements PluginExecutor.BegunAdd {
    @Override
    public void prepare() {
      checked(() -> {
        adding.prepare();
        return true;
      });
    }

    @Override
    public boolean wire(NetworkNamespace namespace) {
      return checked(() -> adding.wire(namespace));
    }

    @Override
    public CniResult finish(String netns) {
      return checked(() -> adding.finish(caller, netns));
    }

    @Override
    public void abandon() {
      adding.abandon();
    }

    @Override
    public void removeLinkAtEnd(OwnedDescriptor process) {
      adding.removeLinkAtEnd(process);
    }

    @Override
    public void delete() {
      adding.delete();
    }
  }

  private static <T> T checked(Supplier<T> action) {
    try {
      return action.get();
    } catch (SpecException e) {
      throw new CniException(CniError.DECODING_FAILURE, String.valueOf(e.getMessage()).strip(), e);
    }
  }

  private static PluginInput input(byte[] stdin) {
    return checked(() -> PluginInput.read(stdin));
  }

  /// The version that the configuration asks by, or the newest.
  private static VersionInfo version(byte[] stdin) {
    String asked = CniVersion.V1_1_0.text();
    try {
      if (JsonReader.read("the configuration", stdin, JsonReader::object).member("cniVersion")
          instanceof Json.JsonString(String text)) {
        asked = text;
      }
    } catch (SpecException e) {
      // the specification lets VERSION come with any input
    }
    return VersionInfo.all(asked);
  }

  /// Keeps a network's routes to other nodes, and this node's place among them.
  public NodeAgent agent(byte[] configuration) {
    return host.state().agent(SimpleConfig.read(input(configuration).config(), ""));
  }

  /// The policies that are kept there.
  public Policies policies(Path directory) {
    return host.state().policies(directory);
  }
}
