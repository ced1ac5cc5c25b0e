package io.jrun.runtime.container;

import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.runtime.cgroup.Cgroup;
import io.jrun.runtime.cgroup.Hierarchies;
import io.jrun.runtime.cgroup.Hierarchy;
import io.jrun.runtime.mount.FileSystemPlan;
import io.jrun.runtime.mount.MountOptions;
import io.jrun.runtime.process.IdentityPlan;
import io.jrun.runtime.process.SealedExe;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What a container's init does between its birth and its program, as calls in three parts: what
/// needs no cgroup, what is done in the cgroup, and the entry into the new root, after which the
/// host is out of reach. The parts are sent one behind another.
final class InitPlan {
  /// The root file system's mount, from the first part on.
  static final Descriptor ROOT = Slots.descriptor(Slots.ROOT);

  private static final int SIGKILL = 9;

  private final Config config;
  private final Process process;
  private final StoredState state;
  private final SealedExe exe;
  private final NamespacePlan namespaces;

  InitPlan(Config config, Process process, StoredState state, SealedExe exe) {
    this.config = config;
    this.process = process;
    this.state = state;
    this.exe = exe;
    this.namespaces = new NamespacePlan(config.linux());
  }

  NamespacePlan namespaces() {
    return namespaces;
  }

  /// The mounts whose sources must be looked at: what is bound may be a directory or not.
  List<Mount> bindMounts() {
    return config.mounts().stream().filter(InitPlan::binds).toList();
  }

  private static boolean binds(Mount mount) {
    return MountOptions.parse(type(mount), mount.options()).bind();
  }

  private static String type(Mount mount) {
    return mount.type() == null ? "bind" : mount.type();
  }

  /// Namespaces, names, and the mounts up to the first that shows the cgroup.
  ///
  /// @param directories for each bind mount, whether its source is a directory
  void addBeforeCgroup(Batch batch, List<Boolean> directories) {
    batch.add(new PseudoCall.ResetSignals());
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    exe.addTo(batch);
    IdentityPlan.oomScore(batch, process);
    batch.add(new CredentialCall.Setsid());
    batch.add(new CredentialCall.Umask(0));
    namespaces.addJoins(batch);
    if (config.hostname() != null && !config.hostname().isEmpty())
      batch.add(new NamespaceCall.Sethostname(config.hostname()));
    if (config.domainname() != null && !config.domainname().isEmpty())
      batch.add(new NamespaceCall.Setdomainname(config.domainname()));
    if (namespaces.makes(NamespaceType.NETWORK)) Loopback.addTo(batch);

    long propagation = propagation(config.linux().rootfsPropagation());
    long cut = (propagation & MS_PRIVATE) != 0 ? propagation : MS_SLAVE | MS_REC;
    Descriptor tree = FileSystemPlan.root(batch, state.rootfs(), cut);
    batch.add(new FileCall.Dup3(tree, Slots.ROOT, FileCall.O_CLOEXEC));
    batch.add(new FileCall.Close(tree));
    FileSystemPlan plan = new FileSystemPlan(batch, ROOT);
    int bound = 0;
    for (Mount mount : config.mounts().subList(0, firstCgroupMount())) {
      plan.mount(mount, !binds(mount) || directories.get(bound++));
    }
  }

  private int firstCgroupMount() {
    List<Mount> mounts = config.mounts();
    for (int i = 0; i < mounts.size(); i++) if (isCgroup(mounts.get(i))) return i;
    return mounts.size();
  }

  private static boolean isCgroup(Mount mount) {
    return "cgroup".equals(mount.type());
  }

  /// The cgroup namespace, the other mounts, and the devices.
  void addInCgroup(Batch batch, List<Boolean> directories, Cgroup cgroup, Hierarchies hierarchies) {
    if (namespaces.makes(NamespaceType.CGROUP))
      batch.add(new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWCGROUP));
    FileSystemPlan plan = new FileSystemPlan(batch, ROOT);
    List<Mount> mounts = config.mounts();
    int first = firstCgroupMount();
    int bound = (int) mounts.subList(0, first).stream().filter(InitPlan::binds).count();
    for (Mount mount : mounts.subList(first, mounts.size())) {
      if (isCgroup(mount)) cgroupMount(plan, mount, cgroup, hierarchies);
      else plan.mount(mount, !binds(mount) || directories.get(bound++));
    }
    if (!bindsDev()) plan.devices(config.linux(), false);
    plan.workingDirectory(process.cwd());
  }

  private boolean bindsDev() {
    return config.mounts().stream()
        .anyMatch(m -> m.destination().replaceAll("/+$", "").equals("/dev") && binds(m));
  }

  private void cgroupMount(
      FileSystemPlan plan, Mount mount, Cgroup cgroup, Hierarchies hierarchies) {
    boolean unified = hierarchies.unified();
    List<FileSystemPlan.CgroupView> views = new ArrayList<>();
    for (Hierarchy hierarchy : unified ? hierarchies.list() : hierarchies.v1()) {
      String path = cgroup.paths().get(hierarchy.key());
      if (path == null) continue;
      String name = hierarchy.mountPoint().substring(hierarchy.mountPoint().lastIndexOf('/') + 1);
      views.add(new FileSystemPlan.CgroupView(name, hierarchy.controllers(), path));
    }
    FileSystemPlan.CgroupNamespace namespace =
        namespaces.makes(NamespaceType.CGROUP)
            ? FileSystemPlan.CgroupNamespace.OWN
            : namespaces.has(NamespaceType.CGROUP)
                ? FileSystemPlan.CgroupNamespace.JOINED
                : FileSystemPlan.CgroupNamespace.CALLERS;
    plan.cgroup(mount, unified, namespace, views);
  }

  /// Binds the terminal to /dev/console, before the entry.
  void addConsole(Batch batch, Descriptor terminal) {
    new FileSystemPlan(batch, ROOT).console(terminal);
  }

  /// What init saw on its entry, to be asked of the results before its program starts.
  record Looks(FileSystemPlan.Masking masking, Pending<byte[]> passwd, Program.Search search) {
    void check(Results results) {
      masking.check(results);
    }

    String program(Results results) {
      return search.program(results);
    }

    List<String> environment(Results results, Process process, int listenFds) {
      byte[] users = results.succeeded(passwd) ? results.of(passwd) : null;
      return Program.environment(process, users, listenFds);
    }
  }

  /// The new root, what is hidden in it, and the identity of the program.
  ///
  /// @param terminal in init, or null
  /// @param keyring the session keyring's name, or null to keep the caller's
  Looks addEntry(
      Batch batch,
      @Nullable Descriptor terminal,
      byte @Nullable [] seccomp,
      int seccompFlags,
      @Nullable String keyring) {
    Linux linux = config.linux();
    FileSystemPlan plan = new FileSystemPlan(batch, ROOT);
    plan.pivot();
    long propagation = propagation(linux.rootfsPropagation());
    if ((propagation & (MS_SHARED | MS_UNBINDABLE)) != 0) {
      batch.add(new MountCall.Mount("", "/", "", propagation, null));
    }
    if (terminal != null)
      Console.attach(batch, terminal, process.user().uid(), process.user().gid());
    Pending<byte[]> passwd = Program.askPasswd(batch);
    if (!linux.sysctl().isEmpty()) Sysctls.addTo(batch, linux.sysctl());
    plan.readonlyPaths(linux.readonlyPaths());
    FileSystemPlan.Masking masking = plan.maskedPaths(linux.maskedPaths());
    if (Objects.requireNonNull(config.root()).readonly()) plan.readonlyRoot();
    batch.add(new FileCall.Close(ROOT));
    IdentityPlan.add(batch, process, seccomp, seccompFlags, keyring);
    return new Looks(masking, passwd, Program.search(batch, process));
  }

  private static long propagation(@Nullable String name) {
    return switch (name == null ? "" : name) {
      case "shared" -> MS_SHARED;
      case "rshared" -> MS_SHARED | MS_REC;
      case "private" -> MS_PRIVATE;
      case "rprivate" -> MS_PRIVATE | MS_REC;
      case "slave" -> MS_SLAVE;
      case "unbindable" -> MS_UNBINDABLE;
      case "runbindable" -> MS_UNBINDABLE | MS_REC;
      default -> MS_SLAVE | MS_REC;
    };
  }
}
