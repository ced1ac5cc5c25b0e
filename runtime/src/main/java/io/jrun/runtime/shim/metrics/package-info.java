/// What a cgroup has used, in the messages that containerd asks a shim for. It knows cgroups and
/// protobuf messages only.
@NullMarked
package io.jrun.runtime.shim.metrics;

import org.jspecify.annotations.NullMarked;
