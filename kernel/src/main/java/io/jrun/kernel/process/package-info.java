/// Processes forked from a helper, and the programs they become; depends on the kernel, its calls
/// and the wire.
@NullMarked
package io.jrun.kernel.process;

import org.jspecify.annotations.NullMarked;
