package io.jrun.runtime.cli;

/// What `jrun run` was asked.
public record RunOptions(CreateOptions create, boolean detach, boolean keep, boolean noSubreaper) {}
