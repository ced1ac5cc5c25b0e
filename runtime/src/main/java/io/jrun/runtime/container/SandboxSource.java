package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.cli.SandboxOptions;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Capabilities;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Hooks;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Root;
import io.jrun.specs.runtime.User;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The config of a sandbox's pause process: the namespaces to share and nothing else. It has an
/// empty root of its own, no capabilities, and no program.
record SandboxSource(SandboxOptions options, Path directory) implements Bundle.Source {
  /// The sandbox's tmpfs for shared memory, in the pause process's root.
  static final String SHARED_MEMORY = "/dev/shm";

  private static final Json.JsonObject NOTHING = Json.JsonObject.EMPTY;

  /// Bytes that sethostname(2) takes.
  private static final int LONGEST_NAME = 64;

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
        byte[] json = config().toJson().toText("").getBytes(StandardCharsets.UTF_8);
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

  private Config config() {
    List<Namespace> namespaces = new ArrayList<>();
    options.shared().forEach(type -> namespaces.add(Namespace.fresh(type)));
    namespaces.add(Namespace.fresh(NamespaceType.MOUNT));
    return new Config(
        Config.OCI_VERSION,
        process(),
        new Root(directory.toString(), true, NOTHING),
        options.shared().contains(NamespaceType.UTS) ? hostname() : null,
        null,
        mounts(),
        Hooks.NONE,
        Linux.NONE.withNamespaces(namespaces).withSysctl(options.sysctls()),
        Map.of(),
        NOTHING);
  }

  private String hostname() {
    String name = options.hostname() == null ? options.name() : options.hostname();
    boolean fits = name.length() <= LONGEST_NAME || options.hostname() != null;
    return fits ? name : name.substring(0, LONGEST_NAME);
  }

  private List<Mount> mounts() {
    if (!options.shared().contains(NamespaceType.IPC)) return List.of();
    List<String> flags =
        List.of("nosuid", "noexec", "nodev", "mode=1777", "size=" + options.shmSize());
    return List.of(new Mount(SHARED_MEMORY, "tmpfs", "shm", flags, List.of(), List.of(), NOTHING));
  }

  private static Process process() {
    List<String> none = List.of();
    return new Process(
        false,
        null,
        new User(0, 0, null, List.of(), NOTHING),
        List.of("pause"),
        List.of("PATH="),
        "/",
        new Capabilities(none, none, none, none, none, NOTHING),
        List.of(),
        true,
        null,
        null,
        null,
        null,
        null,
        null,
        NOTHING);
  }
}
