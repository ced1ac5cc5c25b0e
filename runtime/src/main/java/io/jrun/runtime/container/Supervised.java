package io.jrun.runtime.container;

import io.jrun.kernel.OwnedDescriptor;
import org.jspecify.annotations.Nullable;

/// A process that is watched by another process than the client.
///
/// @param startTime field 22 of proc_pid_stat(5)
/// @param terminal the master of its terminal; null where it has none
public record Supervised(int pid, long startTime, @Nullable OwnedDescriptor terminal) {}
