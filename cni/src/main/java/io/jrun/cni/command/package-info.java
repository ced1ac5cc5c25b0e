/// `jrun cni`: the CNI runtime with cnitool's arguments and environment.
@NullMarked
package io.jrun.cni.command;

import org.jspecify.annotations.NullMarked;
