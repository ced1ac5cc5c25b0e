package io.jrun.cni.etcd;

/// A request that etcd did not answer, or refused.
public final class EtcdException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean isRefusal;

  EtcdException(String message, boolean isRefusal, Throwable cause) {
    super(message, cause);
    this.isRefusal = isRefusal;
  }

  /// Whether etcd did answer, so that trying again changes nothing.
  public boolean isRefusal() {
    return isRefusal;
  }
}
