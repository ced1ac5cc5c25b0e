package io.jrun.runtime.cli;

import io.jrun.image.bundle.RootMount;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// What `jrun create` was asked.
///
/// @param bundle the bundle's directory; empty for the caller's working directory
/// @param preserveFds how many descriptors from 3 on the container inherits
/// @param networks CNI networks to attach the container to; the first is eth0
/// @param image null for a bundle that the caller made
/// @param ports to publish, each `[hostip:]hostport:port[/protocol]`
/// @param sandbox whose namespaces the container joins; null for none
/// @param namesHosts whether the container gets an /etc/hosts and the like also without a network
///   of CNI
public record CreateOptions(
    GlobalOptions global,
    String id,
    String bundle,
    @Nullable String consoleSocket,
    @Nullable String pidfdSocket,
    @Nullable String pidFile,
    boolean noPivot,
    boolean noNewKeyring,
    int preserveFds,
    List<String> networks,
    List<String> ports,
    @Nullable String sandbox,
    boolean namesHosts,
    @Nullable ImageBundle image,
    Metadata metadata) {
  /// Where a bundle comes from that a store of images has made.
  ///
  /// @param store its directory
  /// @param root what the container's root is to be; null where `rootfs` is
  public record ImageBundle(String store, @Nullable RootMount root) {}

  public CreateOptions {
    networks = List.copyOf(networks);
    ports = List.copyOf(ports);
  }

  /// These options with each path of a file of the caller's own made absolute.
  public CreateOptions withPaths(UnaryOperator<String> absolute) {
    return new CreateOptions(
        global,
        id,
        bundle,
        consoleSocket == null ? null : absolute.apply(consoleSocket),
        pidfdSocket == null ? null : absolute.apply(pidfdSocket),
        pidFile == null ? null : absolute.apply(pidFile),
        noPivot,
        noNewKeyring,
        preserveFds,
        networks,
        ports,
        sandbox,
        namesHosts,
        image,
        metadata);
  }

  /// The same for a bundle of a store of images.
  public CreateOptions with(ImageBundle from) {
    return new CreateOptions(
        global,
        id,
        bundle,
        consoleSocket,
        pidfdSocket,
        pidFile,
        noPivot,
        noNewKeyring,
        preserveFds,
        networks,
        ports,
        sandbox,
        namesHosts,
        from,
        metadata);
  }

  /// The same with what is said about it.
  public CreateOptions with(Metadata said) {
    return new CreateOptions(
        global,
        id,
        bundle,
        consoleSocket,
        pidfdSocket,
        pidFile,
        noPivot,
        noNewKeyring,
        preserveFds,
        networks,
        ports,
        sandbox,
        namesHosts,
        image,
        said);
  }

  public CreateOptions(
      GlobalOptions global,
      String id,
      String bundle,
      @Nullable String consoleSocket,
      @Nullable String pidfdSocket,
      @Nullable String pidFile,
      boolean noPivot,
      boolean noNewKeyring,
      int preserveFds,
      List<String> networks,
      List<String> ports,
      @Nullable String sandbox,
      boolean namesHosts) {
    this(
        global,
        id,
        bundle,
        consoleSocket,
        pidfdSocket,
        pidFile,
        noPivot,
        noNewKeyring,
        preserveFds,
        networks,
        ports,
        sandbox,
        namesHosts,
        null,
        Metadata.NONE);
  }

  public CreateOptions(
      GlobalOptions global,
      String id,
      String bundle,
      @Nullable String consoleSocket,
      @Nullable String pidfdSocket,
      @Nullable String pidFile,
      boolean noPivot,
      boolean noNewKeyring,
      int preserveFds) {
    this(
        global,
        id,
        bundle,
        consoleSocket,
        pidfdSocket,
        pidFile,
        noPivot,
        noNewKeyring,
        preserveFds,
        List.of(),
        List.of(),
        null,
        false);
  }
}
