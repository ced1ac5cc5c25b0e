package io.jrun.e2e;

/// What dies under pods whose sandbox is the shim's own pause process.
@JrunOnly
@NeedsContainerd2
class CriSandboxerDeathIT extends CriDeathIT {
  @Override
  String handler() {
    return Containerd.SANDBOXED;
  }
}
