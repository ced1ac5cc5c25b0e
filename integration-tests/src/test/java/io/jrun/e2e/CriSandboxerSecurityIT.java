package io.jrun.e2e;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

/// What pods may and may not, where the shim makes their sandboxes itself.
@JrunOnly
@NeedsContainerd2
class CriSandboxerSecurityIT extends CriSecurityIT {
  @Override
  String handler() {
    return Containerd.SANDBOXED;
  }

  @Override
  String pauseName() {
    return "[jrun-pause]";
  }

  @Override
  void assumeHostNetworkWorks() {
    assumeFalse(
        ContainerdRelease.underTest().isBefore23(),
        "containerd before 2.3 dies of such a pod, before it starts the shim");
  }
}
