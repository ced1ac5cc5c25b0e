package io.jrun.rootfs.unpack;

/// How to unpack.
public record UnpackOptions(
    Whiteouts whiteouts, Rights rights, IdMap uids, IdMap gids, Limits limits) {
  public UnpackOptions with(Whiteouts whiteouts) {
    return new UnpackOptions(whiteouts, rights, uids, gids, limits);
  }

  /// As whom files are written.
  public UnpackOptions with(Rights rights, IdMap uids, IdMap gids) {
    return new UnpackOptions(whiteouts, rights, uids, gids, limits);
  }
}
