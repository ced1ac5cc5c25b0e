/// Kernels that tell what another kernel is asked and answers; depends on the kernel's interfaces.
@NullMarked
package io.jrun.kernel.trace;

import org.jspecify.annotations.NullMarked;
