/// CRIU's RPC: its messages, and a `criu swrk` that answers them. Knows the kernel, no containers.
@NullMarked
package io.jrun.runtime.criu;

import org.jspecify.annotations.NullMarked;
