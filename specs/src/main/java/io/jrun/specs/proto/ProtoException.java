package io.jrun.specs.proto;

/// Bytes that are no message of protocol buffers.
public final class ProtoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ProtoException(String message) {
    super(message);
  }
}
