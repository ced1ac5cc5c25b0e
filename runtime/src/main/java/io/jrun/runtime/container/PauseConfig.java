package io.jrun.runtime.container;

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
import io.jrun.specs.runtime.Seccomp;
import io.jrun.specs.runtime.User;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The config of a sandbox's pause process: the namespaces to share and nothing else. It has an
/// empty root of its own, no capabilities, and no program.
public final class PauseConfig {
  /// The sandbox's tmpfs for shared memory, in the pause process's root.
  static final String SHARED_MEMORY = "/dev/shm";

  /// What the pause process still calls once it has answered.
  private static final List<String> CALLS =
      List.of(
          "sendmsg",
          "close",
          "prctl",
          "rt_sigprocmask",
          "close_range",
          "madvise",
          "wait4",
          "rt_sigtimedwait",
          "exit_group");

  private static final Json.JsonObject NOTHING = Json.JsonObject.EMPTY;

  private PauseConfig() {}

  /// @param directory in which the empty root is mounted
  /// @param shared the namespaces of the sandbox; shared memory goes with that of IPC
  /// @param hostname null for none of its own
  /// @param shmSize of /dev/shm: bytes, or with a suffix k, m or g
  public static Config of(
      Path directory,
      List<Namespace> shared,
      @Nullable String hostname,
      Map<String, String> sysctls,
      String shmSize) {
    List<Namespace> namespaces = new ArrayList<>(shared);
    namespaces.add(Namespace.fresh(NamespaceType.MOUNT));
    Linux linux = Linux.NONE.withNamespaces(namespaces).withSysctl(sysctls);
    return new Config(
        Config.OCI_VERSION,
        process(),
        new Root(directory.toString(), true, NOTHING),
        hostname,
        null,
        linux.namespace(NamespaceType.IPC) == null ? List.of() : List.of(sharedMemory(shmSize)),
        Hooks.NONE,
        linux,
        Map.of(),
        NOTHING);
  }

  /// A filter that lets the pause process pause, and nothing else.
  public static Seccomp seccomp() {
    Seccomp.Syscall allowed =
        new Seccomp.Syscall(CALLS, "SCMP_ACT_ALLOW", null, List.of(), NOTHING);
    return new Seccomp(
        "SCMP_ACT_ERRNO", null, List.of(), List.of(), null, null, List.of(allowed), NOTHING);
  }

  private static Mount sharedMemory(String size) {
    List<String> flags = List.of("nosuid", "noexec", "nodev", "mode=1777", "size=" + size);
    return new Mount(SHARED_MEMORY, "tmpfs", "shm", flags, List.of(), List.of(), NOTHING);
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
