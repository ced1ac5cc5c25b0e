package io.jrun.cni.ipam;

import io.jrun.cni.address.IpAddress;
import io.jrun.specs.cni.Attachment;

/// An address that a container's interface holds.
///
/// @param netns the path of its network namespace at the time, or another that is there for as long
///   as the holder; empty when none was told
public record Lease(IpAddress address, Attachment holder, String netns) {}
