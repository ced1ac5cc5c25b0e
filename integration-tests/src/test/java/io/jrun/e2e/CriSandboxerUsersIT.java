package io.jrun.e2e;

/// User namespaces of pods whose sandbox is the shim's own pause process.
@JrunOnly
@NeedsContainerd2
class CriSandboxerUsersIT extends CriContainerd2IT {
  @Override
  String handler() {
    return Containerd.SANDBOXED;
  }

  @Override
  String mappingHandler() {
    return Containerd.SANDBOXED;
  }
}
