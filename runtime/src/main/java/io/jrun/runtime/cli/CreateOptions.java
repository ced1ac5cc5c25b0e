package io.jrun.runtime.cli;

import org.jspecify.annotations.Nullable;

/// What `jrun create` was asked.
///
/// @param bundle the bundle's directory; empty for the caller's working directory
/// @param preserveFds how many descriptors from 3 on the container inherits
public record CreateOptions(
    GlobalOptions global,
    String id,
    String bundle,
    @Nullable String consoleSocket,
    @Nullable String pidfdSocket,
    @Nullable String pidFile,
    boolean noPivot,
    boolean noNewKeyring,
    int preserveFds) {}
