package io.jrun.runtime.shim;

import io.jrun.specs.ttrpc.TtrpcRequest;

/// A request under way.
///
/// @param isReplayed whether an engine before may have begun it
record Call(int connection, int stream, boolean isReplayed, TtrpcRequest request) {
  byte[] payload() {
    return request.payload();
  }

  String namespace() {
    return request.metadata().getOrDefault("containerd-namespace-ttrpc", "");
  }
}
