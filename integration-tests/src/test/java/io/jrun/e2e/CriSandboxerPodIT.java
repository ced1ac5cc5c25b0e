package io.jrun.e2e;

/// The life of pods whose sandbox is the shim's own pause process, with `sandboxer = "shim"`.
@JrunOnly
@NeedsContainerd2
class CriSandboxerPodIT extends CriPodIT {
  @Override
  String handler() {
    return Containerd.SANDBOXED;
  }
}
