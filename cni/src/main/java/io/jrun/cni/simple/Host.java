package io.jrun.cni.simple;

import io.jrun.cni.nftables.MacCheck;
import io.jrun.cni.nftables.Masquerade;
import io.jrun.cni.nftables.Nftables;
import io.jrun.kernel.Kernel;

/// What the plugin changes the host with. What it keeps between calls (read leases, the nftables
/// context) can be lost.
record Host(
    Kernel kernel,
    Masquerade masquerade,
    MacCheck macCheck,
    LinkRemoval removal,
    NetworkState state) {

  static Host of(Kernel kernel) {
    Nftables nftables = new Nftables();
    return new Host(
        kernel,
        new Masquerade(kernel, nftables),
        new MacCheck(nftables),
        new LinkRemoval(kernel),
        new NetworkState(kernel, nftables));
  }
}
