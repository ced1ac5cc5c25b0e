package io.jrun.runtime.container;

import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.process.SecurityLabels;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.ConfigValidator;
import io.jrun.specs.runtime.NamespaceType;
import io.jrun.specs.runtime.Seccomp;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a container is to be: its bundle as it was read, and as it becomes in a sandbox or with
/// files that name hosts. Whatever can be refused is, before anything but its directory is made.
final class Preparation implements AutoCloseable {
  private final Containers containers;
  private final ClientProcess client;
  private final Store store;
  private final CreateOptions options;
  private final Creation.Role role;
  private final Bundle.Source source;
  private final Wiring wiring;
  private Bundle read;
  private Bundle bundle;
  private byte @Nullable [] kept;
  private @Nullable JoinedSandbox sandbox;
  private boolean namesHosts;
  private byte @Nullable [] seccomp;
  private int seccompFlags;

  /// @param wiring is begun as soon as the config says so
  @SuppressWarnings("NullAway.Init") // the bundle is read later
  Preparation(
      Containers containers,
      ClientProcess client,
      Store store,
      CreateOptions options,
      Creation.Role role,
      Bundle.Source source,
      Wiring wiring) {
    this.containers = containers;
    this.client = client;
    this.store = store;
    this.options = options;
    this.role = role;
    this.source = source;
    this.wiring = wiring;
  }

  /// Checks what was read.
  ///
  /// @return the state of the container that begins
  StoredState check(Bundle asked) {
    read = asked;
    bundle = asked;
    Config config = bundle.config();
    SecurityLabels.check(containers.kernel, bundle.process(), config.linux().mountLabel());
    if (containers.uid() != 0 && config.linux().namespace(NamespaceType.USER) == null)
      throw new ContainerException("rootless container requires user namespaces");
    wiring.begin(config);
    adjust();
    config = bundle.config();
    wiring.make(new NamespacePlan(config.linux()));
    JoinedSysctls.check(client.helper, config.linux());
    client.log.step("read and checked ", bundle.path() + "/config.json");
    checkTerminal();
    client.warn(ConfigValidator.warnings(config));
    bundle =
        bundle.withProcess(GrantedCapabilities.of(containers, client, config, bundle.process()));
    Seccomp profile = config.linux().seccomp();
    if (profile != null) {
      seccomp = containers.seccomp.compile(profile);
      if (!source.pauses()) UnderFilter.checkProgram(bundle.process(), seccomp);
      seccompFlags = containers.seccomp.flags(profile);
      client.log.debug("seccomp filter flags: " + seccompFlags);
    }
    return begun();
  }

  private void checkTerminal() {
    boolean foreground = role != Creation.Role.LEAVES && role != Creation.Role.LEAVES_TERMINAL;
    boolean terminal = bundle.process().terminal();
    if (options.consoleSocket() == null && terminal && role == Creation.Role.LEAVES) {
      throw new ContainerException(
          "cannot allocate tty if jrun will detach without setting console socket");
    }
    if (options.consoleSocket() != null && (!terminal || foreground)) {
      throw new ContainerException(
          "cannot use console socket if jrun will not detach or allocate tty");
    }
  }

  private StoredState begun() {
    CreateOptions.ImageBundle image = options.image();
    int listenFds = client.listenFds();
    client.checkDescriptors(options.preserveFds());
    return StoredState.begun(
            new StoredState.Given(
                options.id(),
                bundle.path(),
                bundle.rootfs(),
                Instant.now(),
                options.preserveFds() + listenFds,
                listenFds,
                source.pauses(),
                source.pauses() ? null : JoinedSandbox.asked(bundle.config()),
                image == null ? "" : image.store(),
                wiring.asked()))
        .withAddresses(sandbox == null ? List.of() : sandbox.addresses());
  }

  /// What the config becomes in a sandbox, and with files of its own that name hosts.
  private void adjust() {
    if (source.pauses()) {
      namesHosts = true;
      return;
    }
    Config config = bundle.config();
    String name = JoinedSandbox.asked(config);
    if (name != null) {
      sandbox = JoinedSandbox.hold(containers, store, name);
      config =
          NameFiles.bound(
              sandbox.join(config),
              sandbox.directory(),
              sandbox.isNamed(),
              sandbox.shares(NamespaceType.USER));
      bundle = bundle.with(Configs.checked(config));
    } else if (options.additions().namesHosts() || Networking.isWanted(config)) {
      namesHosts = true;
      config =
          NameFiles.bound(config, store.directory(options.id()), config.hostname() != null, false);
      bundle = bundle.with(config);
    }
  }

  /// As the container has it.
  Bundle bundle() {
    return bundle;
  }

  /// The text of the config that is kept: what was read, where nothing was added to it.
  byte[] kept() {
    if (kept == null) {
      Config config = bundle.config();
      if (config == read.config()) kept = read.bytes();
      else if (sandbox != null) kept = containers.configs.text(config);
      else kept = containers.configs.text(config, read.config(), read.bytes());
    }
    return kept;
  }

  /// Whether the container has files of its own that name hosts.
  boolean namesHosts() {
    return namesHosts;
  }

  /// The program of the seccomp profile; null where there is none.
  byte @Nullable [] seccomp() {
    return seccomp;
  }

  int seccompFlags() {
    return seccompFlags;
  }

  /// Opens mounts of the sandbox, to which init has no right.
  void openSandbox(MountTrees trees) {
    if (sandbox != null) sandbox.open(bundle.config(), client, trees);
  }

  /// Fails where the sandbox has ended meanwhile.
  void checkSandbox() {
    if (sandbox != null) sandbox.check();
  }

  /// Lets go of the sandbox.
  @Override
  public void close() {
    if (sandbox != null) sandbox.close();
  }
}
