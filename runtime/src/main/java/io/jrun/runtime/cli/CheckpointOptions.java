package io.jrun.runtime.cli;

import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The options of `jrun checkpoint`.
///
/// @param parentPath images of an earlier pre-dump, relative to the directory of these; null for
///   none
/// @param statusFd the caller's descriptor that is told when lazy pages can be fetched; -1 for none
/// @param pageServer `address:port` of where pages go; null for the images
public record CheckpointOptions(
    GlobalOptions global,
    String id,
    CriuOptions criu,
    @Nullable String parentPath,
    boolean leaveRunning,
    boolean tcpSkipInFlight,
    boolean linkRemap,
    int statusFd,
    @Nullable String pageServer,
    boolean preDump) {
  /// These options with each path of the caller's made absolute.
  public CheckpointOptions withPaths(UnaryOperator<String> absolute) {
    return new CheckpointOptions(
        global,
        id,
        criu.withPaths(absolute),
        parentPath,
        leaveRunning,
        tcpSkipInFlight,
        linkRemap,
        statusFd,
        pageServer,
        preDump);
  }
}
