package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.cli.SandboxOptions;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A sandbox's config, which jrun makes itself, in place of a bundle.
///
/// @param directory of the sandbox's state
/// @param names null where its networks say them
record SandboxSource(Config config, Path directory, @Nullable NameTexts names)
    implements Bundle.Source {
  /// Bytes that sethostname(2) takes.
  private static final int LONGEST_NAME = 64;

  /// What `sandbox run` asks for.
  static SandboxSource of(SandboxOptions options, Path directory) {
    List<Namespace> shared = options.shared().stream().map(Namespace::fresh).toList();
    String hostname = options.shared().contains(NamespaceType.UTS) ? hostname(options) : null;
    Map<String, String> sysctls = options.sysctls();
    Config config = PauseConfig.of(directory, shared, hostname, sysctls, options.shmSize());
    return new SandboxSource(config, directory, null);
  }

  private static String hostname(SandboxOptions options) {
    String name = options.hostname() == null ? options.name() : options.hostname();
    boolean fits = name.length() <= LONGEST_NAME || options.hostname() != null;
    return fits ? name : name.substring(0, LONGEST_NAME);
  }

  @Override
  public Bundle.Asked ask(ClientProcess client, PseudoCall.OnEof undoing) {
    Batch batch = new Batch();
    batch.add(undoing);
    Pending<byte[]> cgroups = Bundle.askOwnCgroups(batch);
    Reply reply = client.helper.send(batch);
    return new Bundle.Asked() {
      @Override
      public Bundle await(Configs configs, CreateOptions create) {
        String own = Bundle.ownCgroups(client, reply.await().of(cgroups));
        byte[] json = config.toJson().toText("").getBytes(StandardCharsets.UTF_8);
        return Bundle.of(
            directory.toString(), Annotations.asked(json, create.additions()), configs, own);
      }

      @Override
      public void drop() {
        Bundle.drop(reply);
      }
    };
  }

  @Override
  public List<String> undoing(String root, String id) {
    return List.of("jrun", "--root", root, "sandbox", "rm", "--force", id);
  }

  @Override
  public boolean pauses() {
    return true;
  }
}
