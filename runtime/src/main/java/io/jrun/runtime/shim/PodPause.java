package io.jrun.runtime.shim;

import io.jrun.runtime.container.NameTexts;
import io.jrun.runtime.container.PauseConfig;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.Namespace;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Resources;
import io.jrun.specs.runtime.User;
import io.jrun.specs.sandbox.CreateSandbox;
import io.jrun.specs.sandbox.NamespaceMode;
import io.jrun.specs.sandbox.PodConfig;
import io.jrun.specs.sandbox.PodSecurity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// A pod's pause process, of what CRI says of the pod: what containerd makes of the same for a
/// container of a pause image, with the defaults of its configuration.
record PodPause(CreateSandbox asked, PodConfig pod, String namespace) {
  private static final String SHM_SIZE = "64m";
  private static final long CPU_SHARES = 2;

  /// Where the pause process mounts its empty root, for itself alone, in a user namespace, whose
  /// root may not enter the directories of containers' state.
  private static final Path MAPPED_ROOT = Path.of("/run");

  /// @throws RpcException for what jrun does not do
  static PodPause of(CreateSandbox asked, String namespace) {
    String type = asked.options().type();
    if (!type.isEmpty() && !type.equals(PodConfig.TYPE))
      throw RpcException.unimplemented("a sandbox of " + type);
    if (asked.hasRootfs())
      throw RpcException.unimplemented("a root file system of the sandbox: the pause has its own");
    PodPause pause = new PodPause(asked, PodConfig.read(asked.options().value()), namespace);
    pause.check();
    return pause;
  }

  private void check() {
    PodSecurity security = pod.security();
    if (security.mapsUsers() && isOnHost())
      throw refused("namespace_options.userns_options: a user namespace in the host's network");
    if (security.pid() == NamespaceMode.TARGET)
      throw refused("namespace_options.pid: the processes of another container");
    if (security.hasSelinux() && Files.exists(Path.of("/sys/fs/selinux/status")))
      throw refused("selinux_options: a label of the pod");
    if (!security.seccomp().isEmpty())
      throw refused("seccomp: the profile " + security.seccomp() + " for the pause process");
    if (!security.apparmor().isEmpty())
      throw refused("apparmor: the profile " + security.apparmor() + " for the pause process");
    if (asked.network().isEmpty() != isOnHost())
      throw RpcException.unknown("netns_path does not go with namespace_options.network");
  }

  private static RpcException refused(String what) {
    return RpcException.unimplemented(what + " needs sandboxer = \"podsandbox\"");
  }

  private boolean isOnHost() {
    return pod.security().network() == NamespaceMode.NODE;
  }

  /// Whether its cgroup is systemd's, which containerd tells by the parent's name.
  boolean isInSlice() {
    return Path.of("/", pod.cgroupParent()).normalize().toString().endsWith(".slice");
  }

  private String cgroupsPath() {
    if (pod.cgroupParent().isEmpty()) return "/" + namespace + "/" + asked.id();
    Path parent = Path.of(pod.cgroupParent());
    return isInSlice()
        ? parent.getFileName() + ":cri-containerd:" + asked.id()
        : parent.resolve(asked.id()).toString();
  }

  /// Whether the pod has a user namespace, which containerd has made with its network's.
  boolean mapsUsers() {
    return pod.security().mapsUsers();
  }

  /// @param directory of its state
  /// @param users a path of the user namespace, where the pod has one
  Config config(Path directory, String users) {
    String hostname = isOnHost() || pod.hostname().isEmpty() ? null : pod.hostname();
    Path root = mapsUsers() ? MAPPED_ROOT : directory;
    Config config = PauseConfig.of(root, namespaces(users), hostname, sysctls(), SHM_SIZE);
    Process process = Objects.requireNonNull(config.process());
    Linux linux =
        config.linux().withCgroupsPath(cgroupsPath()).withResources(Resources.NONE.withCpu(cpu()));
    if (mapsUsers()) {
      linux = linux.withUidMappings(pod.security().uids()).withGidMappings(pod.security().gids());
      config = config.withMounts(withProc(config.mounts()));
    }
    if (pod.security().isFiltered()) linux = linux.withSeccomp(PauseConfig.seccomp());
    return config.withProcess(process.withUser(user())).withLinux(linux);
  }

  /// With a procfs: in a user namespace the kernel gives one for the sysctls only to who sees one.
  private static List<Mount> withProc(List<Mount> mounts) {
    List<Mount> all = new ArrayList<>(mounts);
    List<String> flags = List.of("nosuid", "noexec", "nodev");
    all.add(new Mount("/proc", "proc", "proc", flags, List.of(), List.of(), JsonObject.EMPTY));
    return all;
  }

  private List<Namespace> namespaces(String users) {
    List<Namespace> namespaces = new ArrayList<>();
    if (mapsUsers()) namespaces.add(Namespace.joined(NamespaceType.USER, users));
    if (!isOnHost()) {
      namespaces.add(Namespace.joined(NamespaceType.NETWORK, asked.network()));
      namespaces.add(Namespace.fresh(NamespaceType.UTS));
    }
    if (pod.security().ipc() != NamespaceMode.NODE)
      namespaces.add(Namespace.fresh(NamespaceType.IPC));
    if (pod.security().pid() != NamespaceMode.NODE)
      namespaces.add(Namespace.fresh(NamespaceType.PID));
    return namespaces;
  }

  private Map<String, String> sysctls() {
    Map<String, String> sysctls = new LinkedHashMap<>(pod.sysctls());
    if (!isOnHost()) {
      sysctls.putIfAbsent("net.ipv4.ip_unprivileged_port_start", "0");
      // the range would have groups that the user namespace does not have
      if (!mapsUsers()) sysctls.putIfAbsent("net.ipv4.ping_group_range", "0 2147483647");
    }
    return sysctls;
  }

  private User user() {
    PodSecurity security = pod.security();
    long user = security.user() == null ? 0 : security.user();
    long group = security.group() == null ? 0 : security.group();
    return User.of(user, group).withAdditionalGids(security.supplementalGroups());
  }

  private static Resources.Cpu cpu() {
    return new Resources.Cpu(
        CPU_SHARES, null, null, null, null, null, null, null, null, JsonObject.EMPTY);
  }

  /// What the files of its containers say that name hosts.
  NameTexts names() {
    return new NameTexts(
        pod.hostname().isEmpty() ? null : pod.hostname(),
        pod.dns() == null ? null : pod.dns().resolvConf());
  }
}
