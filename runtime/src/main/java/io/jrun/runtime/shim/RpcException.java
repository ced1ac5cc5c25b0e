package io.jrun.runtime.shim;

import io.jrun.kernel.KernelException;
import io.jrun.runtime.cgroup.CgroupException;
import io.jrun.runtime.container.ContainerException;
import io.jrun.specs.json.SpecException;
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

  /// What a step of the runtime failed with; what is another's mistake stays as it is.
  static RuntimeException of(String step, RuntimeException e) {
    return e instanceof ContainerException
            || e instanceof KernelException
            || e instanceof CgroupException
            || e instanceof SpecException
        ? unknown(step + ": " + e.getMessage())
        : e;
  }

  StatusCode code() {
    return code;
  }
}
