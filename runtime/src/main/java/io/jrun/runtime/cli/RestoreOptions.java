package io.jrun.runtime.cli;

import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The options of `jrun restore`.
///
/// @param create where the bundle is, and what `create` is asked, too
/// @param lsmProfile `TYPE:NAME` of the security module's profile; null for the dumped one
public record RestoreOptions(
    CreateOptions create,
    CriuOptions criu,
    boolean detach,
    boolean noSubreaper,
    @Nullable String lsmProfile,
    @Nullable String lsmMountContext) {
  /// These options with each path of a file of the caller's own made absolute.
  public RestoreOptions withPaths(UnaryOperator<String> absolute) {
    return new RestoreOptions(
        create.withPaths(absolute),
        criu.withPaths(absolute),
        detach,
        noSubreaper,
        lsmProfile,
        lsmMountContext);
  }
}
