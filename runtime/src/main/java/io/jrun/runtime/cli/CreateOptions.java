package io.jrun.runtime.cli;

import io.jrun.image.commands.ContainerBundles;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The options of `jrun create`.
///
/// @param bundle the bundle's directory; empty for the caller's working directory
/// @param preserveFds how many descriptors from 3 on the container inherits
/// @param image null for a bundle that the caller made
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
    Additions additions,
    @Nullable ImageBundle image) {
  /// Where a bundle comes from that a store of images has made.
  ///
  /// @param store its directory
  public record ImageBundle(String store, ContainerBundles.Made made) {}

  /// The options that runc has too.
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
        Additions.NONE,
        null);
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
        additions,
        image);
  }

  /// Of a container that joins a sandbox.
  public CreateOptions joining(String sandbox) {
    return with(new Additions(List.of(), List.of(), sandbox, Metadata.NONE, false), image);
  }

  /// @param from null for a bundle that the caller made
  CreateOptions with(Additions more, @Nullable ImageBundle from) {
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
        more,
        from);
  }
}
