package io.jrun.runtime.container;

import io.jrun.image.bundle.RootMount;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.Nothing;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.SignalCall;
import io.jrun.runtime.cgroup.Hierarchies;
import io.jrun.runtime.cgroup.Hierarchy;
import io.jrun.runtime.mount.CgroupMount;
import io.jrun.runtime.mount.CoveringTmpfs;
import io.jrun.runtime.mount.DevicePlan;
import io.jrun.runtime.mount.FilledMounts;
import io.jrun.runtime.mount.MaskedPaths;
import io.jrun.runtime.mount.MountPlan;
import io.jrun.runtime.mount.MountWays;
import io.jrun.runtime.mount.MovedRoot;
import io.jrun.runtime.mount.OverlayRoot;
import io.jrun.runtime.mount.ReadonlyPaths;
import io.jrun.runtime.mount.RootFileSystem;
import io.jrun.runtime.mount.RootPropagation;
import io.jrun.runtime.process.IdentityPlan;
import io.jrun.runtime.process.SchedulingPlan;
import io.jrun.runtime.process.SealedExe;
import io.jrun.runtime.process.SecurityLabels;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Linux;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Process;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What a container's init does between its birth and its program, as calls in three parts: what
/// needs no cgroup, what is done in the cgroup, and the entry into the new root, after which the
/// host is out of reach. The parts are sent one behind another.
final class InitPlan {
  /// The root file system's mount, from the first part on.
  static final Descriptor ROOT = Slots.descriptor(Slots.ROOT);

  private final Config config;
  private final Process process;
  private final StoredState state;
  private final SealedExe exe;
  private final NamespacePlan namespaces;
  private final @Nullable RootMount root;

  /// @param root what init mounts to be its root; null where it is there already
  InitPlan(
      Config config, Process process, StoredState state, SealedExe exe, @Nullable RootMount root) {
    this.root = root;
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
    return config.mounts().stream().filter(ConfigMounts::binds).toList();
  }

  /// Namespaces, names, and the mounts up to the first that shows the cgroup.
  ///
  /// @param directories for each bind mount, whether its source is a directory
  /// @param init performs what comes before a question to it
  /// @param trees for some of the mounts
  /// @param network that init joins; null where it was born in its own, or makes none
  /// @return the rest of the batch, to be sent
  Batch beforeCgroup(
      Batch batch,
      List<Boolean> directories,
      HelperKernel init,
      MountTrees trees,
      @Nullable NewNetwork network) {
    batch.add(new PseudoCall.ResetSignals());
    batch.add(
        new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, SignalCall.SIGKILL, 0, 0, 0));
    exe.addTo(batch);
    if (!namespaces.needsMiddle()) IdentityPlan.oomScore(batch, process);
    batch.add(new CredentialCall.Setsid());
    batch.add(new CredentialCall.Umask(0));
    if (!namespaces.needsMiddle()) namespaces.addJoins(batch);
    if (config.hostname() != null && !config.hostname().isEmpty())
      batch.add(new NamespaceCall.Sethostname(config.hostname()));
    if (config.domainname() != null && !config.domainname().isEmpty())
      batch.add(new NamespaceCall.Setdomainname(config.domainname()));
    if (network != null) network.addJoin(batch);
    else if (namespaces.makes(NamespaceType.NETWORK)) Loopback.addTo(batch);

    Descriptor tree;
    if (namespaces.has(NamespaceType.MOUNT)) {
      RootPropagation propagation = RootPropagation.of(config.linux().rootfsPropagation());
      RootFileSystem.hostRoot(batch, propagation.ofHostRoot());
      if (propagation.leavesParentShared()) {
        init.run(batch);
        batch = new Batch();
        RootFileSystem.parentOf(batch, init, state.rootfs(), propagation.ofParent());
      }
      tree =
          root != null
              ? OverlayRoot.mount(batch, root, state.rootfs())
              : state.pauses()
                  ? RootFileSystem.empty(batch, state.rootfs())
                  : RootFileSystem.bound(batch, state.rootfs());
    } else {
      tree = RootFileSystem.asItIs(batch, state.rootfs());
    }
    batch.add(new DescriptorCall.Dup3(tree, Slots.ROOT, FileCall.O_CLOEXEC));
    batch.add(new FileCall.Close(tree));
    ConfigMounts mounts =
        new ConfigMounts(batch, config, directories, init, trees, state.rootfs(), 0);
    if (isSeenByInitOnly()) {
      mounts.perform();
      trees.find(MountWays.toFind(init, ROOT, config.mounts()));
    }
    int end = firstLaterMount();
    for (int i = 0; i < end; i++) mounts.add(i);
    return mounts.batch();
  }

  /// Whether the engine cannot see the root file system: init mounts it, or it is in a mount
  /// namespace that is joined.
  boolean isSeenByInitOnly() {
    return root != null
        || namespaces.has(NamespaceType.MOUNT) && !namespaces.makes(NamespaceType.MOUNT);
  }

  /// The first that shows the cgroup, or that init is asked about.
  private int firstLaterMount() {
    List<Mount> mounts = config.mounts();
    for (int i = 0; i < mounts.size(); i++)
      if (isCgroup(mounts.get(i)) || CoveringTmpfs.copiesUp(mounts.get(i))) return i;
    return mounts.size();
  }

  static boolean isCgroup(Mount mount) {
    return "cgroup".equals(mount.type());
  }

  /// The cgroup namespace, the other mounts, and the devices.
  ///
  /// @param shown the directories that a cgroup mount shows, by hierarchy
  /// @return the rest of the batch, to be sent
  Batch inCgroup(
      Batch batch,
      List<Boolean> directories,
      HelperKernel init,
      MountTrees trees,
      Map<String, String> shown,
      Hierarchies hierarchies,
      boolean bindsDevices) {
    if (namespaces.makes(NamespaceType.CGROUP))
      batch.add(new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWCGROUP));
    boolean userNamespace = bindsDevices || namespaces.has(NamespaceType.USER);
    int first = firstLaterMount();
    ConfigMounts mounts =
        new ConfigMounts(batch, config, directories, init, trees, state.rootfs(), first);
    for (int i = first; i < config.mounts().size(); i++) {
      Mount mount = config.mounts().get(i);
      if (isCgroup(mount)) {
        Mount settled = mounts.settled(i);
        cgroupMount(shown, hierarchies, userNamespace)
            .add(mounts.batch(), ROOT, config.linux().mountLabel(), settled);
      } else if (CoveringTmpfs.copiesUp(mount)) {
        Mount settled = mounts.settled(i);
        mounts.perform();
        CoveringTmpfs.copyUp(init, ROOT, settled, config.linux().mountLabel());
      } else {
        mounts.add(i);
      }
    }
    Batch rest = mounts.batch();
    if (!bindsDev()) new DevicePlan(rest, ROOT).devices(config.linux().devices(), userNamespace);
    RootFileSystem.workingDirectory(rest, ROOT, process.cwd());
    return rest;
  }

  private boolean hasReadonlyDev() {
    return config.mounts().stream()
        .filter(mount -> MountPlan.isDev(mount) && !ConfigMounts.binds(mount))
        .anyMatch(mount -> ConfigMounts.options(mount).superblock().contains("ro"));
  }

  static FilledMounts filled(Config config) {
    List<String> paths = new ArrayList<>();
    config.linux().devices().forEach(device -> paths.add(device.cleanPath()));
    paths.add(Objects.requireNonNull(config.process()).cwd());
    return new FilledMounts(config.mounts(), paths);
  }

  private boolean bindsDev() {
    return config.mounts().stream()
        .anyMatch(mount -> MountPlan.isDev(mount) && ConfigMounts.binds(mount));
  }

  private CgroupMount cgroupMount(
      Map<String, String> shown, Hierarchies hierarchies, boolean userNamespace) {
    boolean unified = hierarchies.unified();
    List<CgroupMount.View> views = new ArrayList<>();
    for (Hierarchy hierarchy : unified ? hierarchies.list() : hierarchies.v1()) {
      String path = shown.get(hierarchy.key());
      if (path == null) continue;
      String name = hierarchy.mountPoint().substring(hierarchy.mountPoint().lastIndexOf('/') + 1);
      views.add(new CgroupMount.View(name, hierarchy.controllers(), path));
    }
    CgroupMount.Namespace namespace =
        namespaces.makes(NamespaceType.CGROUP)
            ? CgroupMount.Namespace.OWN
            : namespaces.has(NamespaceType.CGROUP)
                ? CgroupMount.Namespace.JOINED
                : CgroupMount.Namespace.CALLERS;
    return new CgroupMount(unified, namespace, userNamespace, views);
  }

  /// Binds the terminal to /dev/console, before the entry.
  void addConsole(Batch batch, Descriptor terminal) {
    new DevicePlan(batch, ROOT).console(terminal);
  }

  /// What init saw on its entry, to be asked of the results before its program starts.
  record Looks(
      MaskedPaths masking, DeviceNodes devices, Pending<byte[]> passwd, Program.Search search) {
    void check(Results results) {
      masking.check(results);
      devices.check(results);
    }

    String program(Results results) {
      return search.program(results);
    }

    List<String> environment(HelperKernel init, Results results, Process process, int listenFds) {
      return Program.environment(process, Program.passwd(init, results, passwd), listenFds);
    }
  }

  /// The new root, what is hidden in it, and the identity of the program.
  ///
  /// @param moved whether the root was exchanged already
  /// @param terminal in init, or null
  /// @param stdio who gets the standard descriptors, where there is no terminal
  /// @param keyring the session keyring's name, or null to keep the caller's
  Looks addEntry(
      Batch batch,
      boolean moved,
      StdioOwner stdio,
      @Nullable Descriptor terminal,
      byte @Nullable [] seccomp,
      int seccompFlags,
      @Nullable String keyring,
      boolean keepsGroups) {
    Linux linux = config.linux();
    if (!namespaces.has(NamespaceType.MOUNT)) {
      batch.add(new ProcessCall.Fchdir(ROOT));
      MovedRoot.enter(batch);
    } else if (!moved) RootFileSystem.pivot(batch, ROOT);
    RootPropagation.of(linux.rootfsPropagation()).addTo(batch);
    if (terminal == null) stdio.addTo(batch);
    else Console.attach(batch, terminal, process.user().uid(), process.user().gid());
    Pending<byte[]> passwd = Program.askPasswd(batch);
    if (!linux.sysctl().isEmpty()) Sysctls.addTo(batch, linux.sysctl());
    DeviceNodes devices = DeviceNodes.ask(batch, bindsDev() ? List.of() : linux.devices());
    ReadonlyPaths.add(batch, ROOT, linux.readonlyPaths());
    MaskedPaths masking = MaskedPaths.add(batch, ROOT, linux.mountLabel(), linux.maskedPaths());
    if (hasReadonlyDev()) RootFileSystem.readonlyMount(batch, ROOT, "/dev");
    filled(config).addReadonly(batch, ROOT);
    if (Objects.requireNonNull(config.root()).readonly()) RootFileSystem.readonly(batch, ROOT);
    batch.add(new FileCall.Close(ROOT));
    // whoever waits for the end of a pipe shall not wait for the container's start
    batch.add(new PseudoCall.CloseFrom(3 + state.preservedFds()));
    SchedulingPlan.add(batch, process, linux);
    SecurityLabels.addTo(batch, process);
    Pending<Nothing> entered = Program.enter(batch, process);
    IdentityPlan.add(batch, process, seccomp, seccompFlags, keyring, keepsGroups);
    return new Looks(masking, devices, passwd, Program.search(batch, process, entered, seccomp));
  }
}
