package io.jrun.runtime.shim;

import io.jrun.kernel.Kernel;
import io.jrun.runtime.container.Containers;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;

/// What all pods of an engine share.
///
/// @param activity is told that a keeper has sent something
record SharedByPods(
    Kernel kernel,
    Containers containers,
    ShimProgram program,
    OomWatcher oomWatcher,
    ExecutorService threads,
    ScheduledExecutorService timer,
    Runnable activity) {}
