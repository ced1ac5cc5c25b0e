package io.jrun.image.registry;

import java.util.List;
import java.util.Optional;

/// How to reach registries.
///
/// @param plainHttp whether to speak http and not https
/// @param authority certificates in PEM that are trusted, in place of the machine's
/// @param mirrors hosts that are asked first
/// @param nonDistributable whether layers that are not distributable are pushed as others are
public record RegistryOptions(
    boolean plainHttp,
    Optional<byte[]> authority,
    List<String> mirrors,
    int parallel,
    boolean nonDistributable) {
  public RegistryOptions {
    mirrors = List.copyOf(mirrors);
  }
}
