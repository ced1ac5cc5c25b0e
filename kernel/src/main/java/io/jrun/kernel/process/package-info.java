/// Processes forked from a helper, and the programs they become; depends on the kernel and its
/// calls.
@NullMarked
package io.jrun.kernel.process;

import org.jspecify.annotations.NullMarked;
