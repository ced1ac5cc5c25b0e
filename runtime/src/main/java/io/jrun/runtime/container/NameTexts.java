package io.jrun.runtime.container;

import org.jspecify.annotations.Nullable;

/// What a sandbox's caller says of names, whose networks are not jrun's.
///
/// @param hostname null for the host's
/// @param resolvConf the text of resolv.conf(5); null for the host's
public record NameTexts(@Nullable String hostname, @Nullable String resolvConf) {}
