package io.jrun.runtime.engine;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.util.concurrent.CompletableFuture;

/// The sandbox service of a shim, asked as containerd's CRI asks it.
record SandboxRequests(ShimPod pod) {
  private static final String SERVICE = "containerd.runtime.sandbox.v1.Sandbox";
  private static final int NODE = 2;

  CompletableFuture<TtrpcResponse> send(String method, ProtoWriter request) {
    return pod.client().send(SERVICE, method, request.toBytes());
  }

  TtrpcResponse call(String method, ProtoWriter request) {
    return TtrpcClient.await(send(method, request));
  }

  ProtoMessage ok(String method) {
    return ok(method, pod.request());
  }

  ProtoMessage ok(String method, ProtoWriter request) {
    return ShimPod.ok(method, call(method, request));
  }

  /// @param network the path of its network namespace; empty for the host's
  ProtoWriter createRequest(String bundle, ProtoWriter config, String network) {
    return pod.request()
        .string(2, bundle)
        .message(
            4,
            new ProtoWriter().string(1, "runtime.v1.PodSandboxConfig").bytes(2, config.toBytes()))
        .string(5, network);
  }

  /// Of a pod with a name and servers of its own.
  ///
  /// @param security LinuxSandboxSecurityContext
  static ProtoWriter config(String hostname, ProtoWriter security) {
    ProtoWriter dns = new ProtoWriter().string(1, "192.0.2.53").string(2, "pods.example");
    return new ProtoWriter()
        .string(2, hostname)
        .message(4, dns)
        .message(8, new ProtoWriter().string(1, "/").message(2, security));
  }

  static ProtoWriter security() {
    return new ProtoWriter();
  }

  /// In the host's network.
  static ProtoWriter onHost() {
    return new ProtoWriter().message(1, new ProtoWriter().int32(1, NODE));
  }
}
