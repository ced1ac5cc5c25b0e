/// The protocol between engine and helper, and the kernel that a helper is.
@NullMarked
package io.jrun.kernel.wire;

import org.jspecify.annotations.NullMarked;
