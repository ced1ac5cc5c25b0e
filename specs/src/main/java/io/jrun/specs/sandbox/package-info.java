/// The messages of containerd's sandbox service, and of the Kubernetes Container Runtime Interface
/// those that they carry, by the field numbers of their protos.
@NullMarked
package io.jrun.specs.sandbox;

import org.jspecify.annotations.NullMarked;
