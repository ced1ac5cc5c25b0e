package io.jrun.runtime.shim;

import io.jrun.kernel.HelperGoneException;
import io.jrun.specs.proto.ProtoException;
import io.jrun.specs.ttrpc.StatusCode;

/// A request that is answered with a status other than OK.
final class RpcException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final StatusCode code;

  RpcException(StatusCode code, String message) {
    super(message);
    this.code = code;
  }

  static RpcException notFound(String what) {
    return new RpcException(StatusCode.NOT_FOUND, what + ": not found");
  }

  static RpcException exists(String what) {
    return new RpcException(StatusCode.ALREADY_EXISTS, what + ": already exists");
  }

  static RpcException precondition(String what) {
    return new RpcException(StatusCode.FAILED_PRECONDITION, what + ": failed precondition");
  }

  static RpcException unimplemented(String what) {
    return new RpcException(StatusCode.UNIMPLEMENTED, what);
  }

  static RpcException unknown(String message) {
    return new RpcException(StatusCode.UNKNOWN, message);
  }

  /// What a step of the runtime failed with. What has a status of its own stays as it is, as do the
  /// end of a process that served, and a mistake of jrun's own.
  static RuntimeException of(String step, RuntimeException e) {
    return switch (e) {
      case RpcException _, ProtoException _, HelperGoneException _, NullPointerException _ -> e;
      default -> unknown(step + ": " + e.getMessage());
    };
  }

  StatusCode code() {
    return code;
  }
}
