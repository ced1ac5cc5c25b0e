package io.jrun.cni.nftables;

/// Commands that nftables refused, as a whole.
public final class NftablesException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NftablesException(String message) {
    super("nftables: " + message);
  }

  /// Whether something is there already, and other than the commands want it.
  public boolean exists() {
    return String.valueOf(getMessage()).contains("File exists");
  }

  /// Whether something that the commands name does not exist.
  public boolean isNotFound() {
    return String.valueOf(getMessage()).contains("No such file or directory");
  }
}
