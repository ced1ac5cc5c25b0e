package io.jrun.image.bundle;

import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.runtime.Config;

/// What the config of a container is made of, but for the image's accounts.
///
/// @param base what it says where neither the image nor the caller does
/// @param terminal whether the process gets one
public record ConfigRequest(
    Config base,
    ImageConfig image,
    Overrides overrides,
    Adjustments adjustments,
    boolean terminal) {
  public Config config(Accounts accounts) {
    return MappedUser.fit(
        adjustments.apply(Conversion.config(base, image, accounts, overrides, terminal)));
  }
}
