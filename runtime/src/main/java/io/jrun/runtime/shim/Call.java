package io.jrun.runtime.shim;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.ttrpc.TtrpcRequest;

/// A request under way.
///
/// @param isReplayed whether an engine before may have begun it
/// @param message the request's own
record Call(
    int connection, int stream, boolean isReplayed, TtrpcRequest request, ProtoMessage message) {
  Call(int connection, int stream, boolean isReplayed, TtrpcRequest request) {
    this(connection, stream, isReplayed, request, ProtoMessage.parse(request.payload()));
  }

  String method() {
    return request.method();
  }

  byte[] payload() {
    return request.payload();
  }

  /// The task or sandbox that it is about.
  String id() {
    return message.string(1);
  }

  /// Whether containerd closes the connection when that is answered.
  boolean isLast() {
    return switch (method()) {
      case "Delete" -> message.string(2).isEmpty();
      case "Shutdown", "ShutdownSandbox" -> true;
      default -> false;
    };
  }
}
