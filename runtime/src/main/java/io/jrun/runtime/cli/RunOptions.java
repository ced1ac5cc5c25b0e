package io.jrun.runtime.cli;

/// The options of `jrun run`.
public record RunOptions(CreateOptions create, boolean detach, boolean keep, boolean noSubreaper) {}
