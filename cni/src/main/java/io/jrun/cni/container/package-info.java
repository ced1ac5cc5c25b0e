/// A container's networks, as the runtime asks for them.
@NullMarked
package io.jrun.cni.container;

import org.jspecify.annotations.NullMarked;
