package io.jrun.rootfs.unpack;

/// How to unpack.
///
/// @param privileged whether owners can be set and devices made; else owners are recorded in
///   `user.rootlesscontainers`, devices left out
public record UnpackOptions(
    Whiteouts whiteouts, boolean privileged, IdMap uids, IdMap gids, Limits limits) {
  public UnpackOptions with(Whiteouts whiteouts) {
    return new UnpackOptions(whiteouts, privileged, uids, gids, limits);
  }
}
