package io.jrun.image.bundle;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a caller wants otherwise than the image says.
///
/// @param args in place of the image's command; empty for that
/// @param entrypoint null for the image's; with another one the image's command does not count
/// @param env further variables, `NAME=value`
public record Overrides(
    List<String> args,
    @Nullable List<String> entrypoint,
    List<String> env,
    @Nullable String user,
    @Nullable String cwd,
    boolean readOnly) {
  public static final Overrides NONE = new Overrides(List.of(), null, List.of(), null, null, false);

  public Overrides {
    args = List.copyOf(args);
    env = List.copyOf(env);
  }
}
